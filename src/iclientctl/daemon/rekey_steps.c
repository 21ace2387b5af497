#include "iclientctl/daemon/rekey_steps.h"

#include <stddef.h>

#include "base/json/json_read.h"
#include "iclientctl/terminal/terminal_text.h"

/* docs/OPERATIONS.md has the same commands. Each list leaves the file of before beside the new one. */
static const char *const credential_begin[] = {
    "put a new key before the old one, and start the daemon again:",
    "  cd /etc/credstore.encrypted && cp -p iclientd.key iclientd.key.before",
    "  { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \\n'; echo;",
    "    systemd-creds decrypt --name=iclientd.key iclientd.key.before -; } |",
    "    systemd-creds encrypt --name=iclientd.key - iclientd.key",
    "  systemctl restart iclientd",
    "then the daemon seals every value anew; iclientctl rekey waits for it and tells how to take the old key out",
    NULL,
};
static const char *const credential_end[] = {
    "take the old key out, and start the daemon again:",
    "  cd /etc/credstore.encrypted && cp -p iclientd.key iclientd.key.both",
    "  systemd-creds decrypt --name=iclientd.key iclientd.key.both - | head -n 1 |",
    "    systemd-creds encrypt --name=iclientd.key - iclientd.key",
    "  systemctl restart iclientd",
    "when it is ready, remove iclientd.key.both; keep iclientd.key.before with the backups of before, or remove it",
    NULL,
};
static const char *const file_begin[] = {
    "give the key file a directory of its own that the daemon may write to (\"keyFile\") and start it again;",
    "or put a new key before the old one by hand, in FILE, which is said above:",
    "  umask 077; cp -p FILE FILE.before &&",
    "  { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \\n'; echo; cat FILE.before; } > FILE",
    "  and start the daemon again",
    "then the daemon seals every value anew; iclientctl rekey waits for it and tells how to take the old key out",
    NULL,
};
static const char *const file_end[] = {
    "take the old key out of FILE, which iclientctl rekey --status names, and start the daemon again:",
    "  umask 077; cp -p FILE FILE.both && head -n 1 FILE.both > FILE",
    "when it is ready, remove FILE.both; keep FILE.before with the backups of before, or remove it",
    NULL,
};

static void say_all(const char *const *lines)
{
    for (; *lines; lines++)
        terminal_say("%s", *lines);
}

static bool is_credential(const json_t *state)
{
    return json_is_true(json_object_get(state, "credential"));
}

void rekey_steps_say_begin(const json_t *state)
{
    say_all(is_credential(state) ? credential_begin : file_begin);
}

void rekey_steps_say_end(const json_t *state)
{
    const char *key_id = json_read_string(state, "key_id");
    terminal_say("every value is sealed with the key %s", key_id ? key_id : "of the first line");
    say_all(is_credential(state) ? credential_end : file_end);
}
