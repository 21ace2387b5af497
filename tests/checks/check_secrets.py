"""No secret's bytes are handed to what logs, prints or explains: neither at once nor through a variable."""

import re

from source_tree import files_below, line_of, main, without_comments

# What yields a secret's bytes.
REVEALING = r"(?:secret_reveal|token_reply_access_token)"
# What shows or keeps its arguments where nobody wipes them. text_buffer_append_format() is not among these: it wipes.
SHOWING = re.compile(r"\b(log_(?:write|error|warning|notice|info|debug)|error_set|error_prefix|fault_list_(?:add|warn)"
                     r"|terminal_say|v?(?:f|d|s|sn|as|vas)?printf|f?puts|perror|v?syslog|warnx?|errx?)\s*\(")
ASSIGNMENT = re.compile(rf"\b(\w+)\s*=\s*{REVEALING}\s*\(")
# A function's body: from a brace at the beginning of a line to the next one that closes there.
BODY = re.compile(r"^\{.*?^\}", re.MULTILINE | re.DOTALL)


def arguments_from(code, start):
    """What stands between the parenthesis that ends at start and its partner."""
    depth, end = 1, start
    while end < len(code) and depth:
        depth += {"(": 1, ")": -1}.get(code[end], 0)
        end += 1
    return code[start:end - 1]


def shown_secret(arguments, names):
    if re.search(rf"\b{REVEALING}\s*\(", arguments):
        return "a revealed secret"
    # A test of the pointer shows nothing of what it points to: `text ? "set" : "missing"`.
    shown = re.sub(r"!?\b\w+\s*\?(?!:)", "", arguments)
    found = names & set(re.findall(r"(?<![.>\w])\w+\b(?!\s*(?:\(|\[))", shown))
    return f"{found.pop()}, which holds a revealed secret" if found else None


def check_file(source, path):
    faults = []
    code = without_comments(path.read_text(), keep_strings=False)
    for body in BODY.finditer(code):
        names = set(ASSIGNMENT.findall(body.group()))
        for call in SHOWING.finditer(code, body.start(), body.end()):
            shown = shown_secret(arguments_from(code, call.end()), names)
            if shown:
                faults.append(f"{path.relative_to(source)}:{line_of(code, call.start())}: {call.group(1)}() is given {shown}")
    return faults


def check(source, _build):
    return [fault for path in files_below(source, "src", "include") for fault in check_file(source, path)]


def function(*lines):
    return "\n".join(["void f(const struct secret *s)", "{", *(f"    {line}" for line in lines), "}", ""])


GOOD_TREE = {
    "src/base/a.c": function("text_buffer_append_text(b, secret_reveal(s));", "/* log_error(secret_reveal(s)) */",
                             'log_info("secret_reveal(s)");', "text_buffer_append_format(b, f, secret_reveal(s));",
                             "const char *text = secret_reveal(s);", 'log_info("%s", text ? "set" : "missing");',
                             'log_info("%s", row->text);')
                    + function('log_info("%s", text);'),
}
BROKEN = [
    ("logged", {"src/base/a.c": function('log_info("%s", secret_reveal(s));')}, "a.c:3: log_info() is given a revealed"),
    ("logged over lines", {"src/io/a.c": function('log_write(LOG_LEVEL_DEBUG, "%s",', "    secret_reveal(s));")}, "log_write()"),
    ("in an error", {"src/io/a.c": function('return error_set(e, ERR_INVALID, "%s", secret_reveal(s));')}, "error_set()"),
    ("in an error's context", {"src/io/a.c": function('error_prefix(e, "%s", secret_reveal (s));')}, "error_prefix()"),
    ("in a fault", {"src/io/a.c": function('fault_list_add(l, "", "", NULL, "%s", secret_reveal(s));')}, "fault_list_add()"),
    ("printed", {"src/io/a.c": function('fprintf(stderr, "%.3s", secret_reveal(s));')}, "fprintf()"),
    ("formatted into memory that is not wiped", {"src/io/a.c": function('asprintf(&t, "%s", secret_reveal(s));')}, "asprintf()"),
    ("by a variable", {"src/io/a.c": function("const char *text = secret_reveal(s);", 'log_error("%s", text);')},
     "log_error() is given text"),
    ("a token in iclientctl's words", {"src/iclientctl/a.c": function('terminal_say("%s", token_reply_access_token(d));')},
     "terminal_say()"),
    ("in a header", {"include/base/a.h": function('puts(secret_reveal(s));')}, "puts()"),
]

if __name__ == "__main__":
    main(check, GOOD_TREE, BROKEN)
