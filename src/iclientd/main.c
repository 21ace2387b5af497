#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/key_recorder.h"
#include "base/library_memory.h"
#include "base/log/log_output.h"
#include "base/standard_descriptors.h"
#include "iclientd/config/configuration.h"
#include "daemon.h"

enum { EXIT_USAGE = 2, LOG_PATIENCE_MS = 1000 };

static const char usage[] = "usage: iclientd [--config FILE] [--check]\n"
                            "\n"
                            "  --config FILE  the daemon's configuration; without it /etc/iclientd/iclientd.json\n"
                            "                 as root, else $XDG_CONFIG_HOME/iclientd/iclientd.json\n"
                            "  --check        say everything that is wrong with the configuration, its iClients\n"
                            "                 and connections, and exit: 0 when nothing is, else 1\n"
                            "  --version      print the version and exit\n"
                            "  --help         print this and exit\n"
                            "\n"
                            "Runs in the foreground and logs to stderr. SIGHUP reads everything again.\n";

/* No other process of this user may read the memory, and no core may keep it. */
static void protect_memory(void)
{
    prctl(PR_SET_DUMPABLE, 0);
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    umask(077);
    library_memory_wipe_freed();
}

static int check_configuration(const char *config_file)
{
    AUTO(fault_list) faults = fault_list_create();
    AUTO(config) config = NULL;
    AUTO(catalog) catalog = NULL;
    enum status status = faults ? configuration_check(config_file, faults, &config, &catalog) : ERR_NO_MEMORY;
    for (size_t i = 0; faults && i < fault_list_count(faults); i++) {
        AUTO_TEXT text = fault_format(fault_list_at(faults, i));
        fprintf(stderr, "%s%s\n", fault_list_at(faults, i)->warning ? "warning: " : "", text ? text : "out of memory");
    }
    if (status != OK)
        return EXIT_FAILURE;
    printf("%s: good, with %zu iClients and %zu connections\n", config->file, catalog_iclient_count(catalog),
           catalog_connection_count(catalog));
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check", no_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {0},
    };
    const char *config_file = NULL;
    bool is_check = false;
    standard_descriptors_reserve();
    key_recorder_disable();
    protect_memory();
    for (int option; (option = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            config_file = optarg;
            break;
        case 'k':
            is_check = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        case 'v':
            puts("iclientd " ICLIENTD_VERSION);
            return EXIT_SUCCESS;
        default:
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "iclientd: unexpected argument \"%s\"\n%s", argv[optind], usage);
        return EXIT_USAGE;
    }
    if (is_check)
        return check_configuration(config_file);
    log_output_begin();
    enum status status = daemon_run(config_file);
    log_output_finish(LOG_PATIENCE_MS);
    return status == OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
