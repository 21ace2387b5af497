#ifndef BASE_XML_XPATH_TEXT_H
#define BASE_XML_XPATH_TEXT_H

#include "base/error.h"
#include "base/text/text_buffer.h"

/*
 * Reads a location path (see xml_path_compile()) and appends an XPath 1.0 expression that means it whatever namespaces
 * a document has. No other expression gets through: functions could make one search as dear as the square of a
 * document.
 */
enum status xpath_text_translate(const char *text, struct text_buffer *expression, struct error *ret_error);

#endif
