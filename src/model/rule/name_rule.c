#include "model/rule/name_rule.h"

#include <ctype.h>
#include <string.h>

enum { NAME_LENGTH_MAX = 64 };

bool name_is_valid(const char *name)
{
    if (!isalnum((unsigned char)name[0]) || strlen(name) > NAME_LENGTH_MAX)
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("._-", *name))
            return false;
    return true;
}
