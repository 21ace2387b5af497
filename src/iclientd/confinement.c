#include "confinement.h"

#include "base/log/log.h"
#include "io/host/sandbox.h"
#include "state_files.h"

/* gcc's sign of AddressSanitizer, and clang's. */
#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER true
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER false
#endif

/* Goes on without what this kernel does not have. */
static enum status without_unsupported(enum status status, const struct error *error)
{
    if (status != ERR_UNSUPPORTED)
        return status;
    log_warning("sandbox: going on without %s", error->message);
    return OK;
}

enum status confinement_limit_files(const struct config *config, struct error *ret_error)
{
    if (!config->sandbox) {
        log_warning("the sandbox is off: \"sandbox\" is false");
        return OK;
    }
    char key_dir[STATE_PATH_MAX];
    const struct sandbox_files files = {
        .state_dir = config->state_dir,
        .key_dir = state_files_key_directory(config, key_dir) ? key_dir : NULL,
        .socket_paths = {config->token_socket.path, config->admin_socket.path},
        .tcp_port = config->redirect.port,
    };
    const char *gap = NULL;
    enum status status = sandbox_limit_files(&files, &gap, ret_error);
    if (status == OK && gap)
        log_notice("sandbox: this kernel's Landlock is too old to refuse %s", gap);
    return without_unsupported(status, ret_error);
}

enum status confinement_limit_calls(const struct config *config, struct error *ret_error)
{
    if (!config->sandbox)
        return OK;
    if (HAS_SANITIZER) {
        /* LeakSanitizer forks at the end, and traces what it forked from. */
        log_warning("sandbox: system calls are not limited in a build with sanitizers");
        return OK;
    }
    return without_unsupported(sandbox_limit_calls(ret_error), ret_error);
}
