#ifndef IO_FILES_PRESET_DIRECTORY_H
#define IO_FILES_PRESET_DIRECTORY_H

/*
 * Where the presets that came with this program lie: the installation's, else those beside the program itself, which
 * may be installed under another prefix than it was built for, or not at all. The caller frees. NULL: nowhere, or out
 * of memory.
 */
char *preset_directory_find(void);

#endif
