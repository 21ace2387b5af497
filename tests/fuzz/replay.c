/* Runs a fuzz target over kept inputs, without libFuzzer: FILE_OR_FOLDER… Each has to stay harmless. */
#include <ftw.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { OPEN_FOLDERS_MAX = 16 };

static unsigned replayed;

static int replay(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)place;
    if (kind != FTW_F)
        return 0;
    FILE *file = fopen(path, "rb");
    size_t size = (size_t)about->st_size;
    uint8_t *data = malloc(size ? size : 1);
    REQUIRE(file && data && fread(data, 1, size, file) == size, "%s cannot be read", path);
    fclose(file);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    replayed++;
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        REQUIRE(nftw(argv[i], replay, OPEN_FOLDERS_MAX, FTW_PHYS) == 0, "%s cannot be read", argv[i]);
    printf("%u inputs\n", replayed);
    return replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
