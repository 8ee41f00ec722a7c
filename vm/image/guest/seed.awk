# seed.awk - a JSON text as a folder of files, so that a shell never has to read values as words
#
#   awk -v dir=FOLDER -f seed.awk FILE
#
# {"a": {"b": ["x", 2]}} becomes a.b.0 with x, a.b.1 with 2, and a.b# with 2, the length of the
# list. A value is written to its file as it is, decoded, and goes nowhere else: what is in it is
# never part of a name, a pattern, a format or a command. Names are made of keys and numbers only; a
# key that is not of [A-Za-z0-9_-] is left out with all that is below it. A first line that begins
# with # is a comment (#cloud-config). Anything wrong in the text: one line of error, exit 1, and
# the caller takes nothing of it. Memory and time grow with the text, not with its square: the text
# is cut at quotes, a string at its backslashes.

BEGIN {
    RS = "\""
    FS = "\001"
    DEPTH_MAX = 16; VALUES_MAX = 2048; KEY_MAX = 64; BETWEEN_MAX = 4096
    depth = 0; values = 0; want = "value"; inside = 0; failed = 0
    for (i = 0; i < 16; i++)
        hex[substr("0123456789abcdef", i + 1, 1)] = hex[substr("0123456789ABCDEF", i + 1, 1)] = i
    plain["n"] = "\n"; plain["t"] = "\t"; plain["r"] = "\r"; plain["b"] = "\b"; plain["f"] = "\f"
    plain["/"] = "/"
}

function bad(why) {
    if (!failed)
        print "seed: " why > "/dev/stderr"
    failed = 1
    exit 1
}

# The file of the value that comes now, or "" when it is not to be kept.
function place(   i, path) {
    path = ""
    for (i = 1; i <= depth; i++) {
        if (skip[i])
            return ""
        path = (i == 1 ? "" : path ".") name[i]
    }
    if (length(path) > 200)
        bad("a value lies too deep")
    return dir "/" path
}

function before_value(c) {
    if (depth == 0 && c != "{")
        bad("the text is no object")
    if (want != "value" && want != "value or ]")
        bad("a value where " want " should be")
    if (++values > VALUES_MAX)
        bad("more than " VALUES_MAX " values")
}

function after_value() {
    want = depth == 0 ? "nothing" : (kind[depth] == "{" ? ", or }" : ", or ]")
}

function scalar(text,   to) {
    before_value()
    to = place()
    if (to != "") {
        printf "%s", text > to
        close(to)
    }
    after_value()
}

function hex4(text,   i, n) {
    if (length(text) < 4)
        bad("a \\u that is cut short")
    n = 0
    for (i = 1; i <= 4; i++) {
        if (!(substr(text, i, 1) in hex))
            bad("a \\u without four digits")
        n = n * 16 + hex[substr(text, i, 1)]
    }
    return n
}

function utf8(n) {
    if (n < 128)
        return sprintf("%c", n)
    if (n < 2048)
        return sprintf("%c%c", 192 + int(n / 64), 128 + n % 64)
    if (n < 65536)
        return sprintf("%c%c%c", 224 + int(n / 4096), 128 + int(n / 64) % 64, 128 + n % 64)
    return sprintf("%c%c%c%c", 240 + int(n / 262144), 128 + int(n / 4096) % 64,
                   128 + int(n / 64) % 64, 128 + n % 64)
}

# One stretch of a string, up to a quote, decoded into the file "to" ("" for nowhere). Returns 1
# when a backslash stood before that quote, so that the string goes on behind it.
function stretch(text, to,   p, n, i, c, rest, code) {
    if (text ~ /[\001-\037]/)
        bad("a control character in a string")
    n = split(text, p, "\\")
    if (to != "")
        printf "%s", n ? p[1] : "" > to
    for (i = 2; i <= n; i++) {
        c = substr(p[i], 1, 1)
        rest = substr(p[i], 2)
        if (c == "" && i == n) {
            if (to != "")
                printf "\"" > to
            return 1
        }
        if (c == "") {
            # Two backslashes: what follows is text, whatever it begins with.
            c = "\\"
            rest = p[++i]
        } else if (c in plain) {
            c = plain[c]
        } else if (c == "u") {
            code = hex4(rest)
            rest = substr(rest, 5)
            if (code >= 55296 && code < 56320) {
                if (rest != "" || i == n || substr(p[i + 1], 1, 1) != "u")
                    bad("half a pair of \\u")
                rest = p[++i]
                c = hex4(substr(rest, 2))
                if (c < 56320 || c > 57343)
                    bad("half a pair of \\u")
                code = 65536 + (code - 55296) * 1024 + c - 56320
                rest = substr(rest, 6)
            } else if (code == 0 || (code >= 56320 && code < 57344)) {
                bad("a \\u that is no character")
            }
            c = utf8(code)
        } else {
            bad("an escape that JSON has not")
        }
        if (to != "")
            printf "%s%s", c, rest > to
    }
    return 0
}

# A quote has just opened a string: a key, or a value, which is where it goes.
function string_begins() {
    is_key = want == "key" || want == "key or }"
    target = ""
    key = ""
    if (!is_key) {
        before_value()
        target = place()
    }
}

function string_ends() {
    if (target != "")
        close(target)
    if (is_key) {
        skip[depth] = (length(key) > KEY_MAX || key !~ /^[A-Za-z0-9_-]+$/)
        name[depth] = key
        want = ":"
    } else {
        after_value()
    }
}

function opens(c) {
    before_value(c)
    if (++depth > DEPTH_MAX)
        bad("more than " DEPTH_MAX " levels")
    kind[depth] = c
    name[depth] = 0
    skip[depth] = 0
    want = c == "{" ? "key or }" : "value or ]"
}

function closes(c,   to, count) {
    if (want != ", or " c && want != (c == "}" ? "key or }" : "value or ]"))
        bad("a " c " where " want " should be")
    if (c == "]") {
        count = want == "value or ]" ? 0 : name[depth] + 1
        depth--
        to = place()
        depth++
        if (to != "") {
            printf "%d", count > (to "#")
            close(to "#")
        }
    }
    depth--
    after_value()
}

# What stands between two strings.
function between(text,   c) {
    gsub(/[ \t\r\n]+/, " ", text)
    if (length(text) > BETWEEN_MAX)
        bad("too much between two strings")
    while (text != "") {
        c = substr(text, 1, 1)
        if (match(text, /^(-?[0-9][0-9.eE+-]*|true|false|null)/)) {
            scalar(substr(text, 1, RLENGTH))
            text = substr(text, RLENGTH + 1)
            continue
        }
        if (c == "{" || c == "[")
            opens(c)
        else if (c == "}" || c == "]")
            closes(c)
        else if (c == ":" && want == ":")
            want = "value"
        else if (c == "," && want == ", or }")
            want = "key"
        else if (c == "," && want == ", or ]") {
            name[depth]++
            want = "value"
        } else if (c != " ")
            bad("what is no JSON where " want " should be")
        text = substr(text, 2)
    }
}

NR == 1 && /^#/ {
    if (!sub(/^#[^\n]*\n/, ""))
        bad("a comment and nothing more")
}

{
    if (!inside) {
        between($0)
        # Whether a quote follows is known when there is another stretch.
        inside = 1
        opening = 1
        next
    }
    if (opening) {
        string_begins()
        opening = 0
    }
    if (is_key)
        key = key (length(key) > KEY_MAX || $0 ~ /\\/ ? "\\" : $0)
    if (stretch($0, target))
        next
    string_ends()
    inside = 0
}

END {
    if (!failed && (want != "nothing" || (inside && !opening)))
        bad("the text ends where " want " should be")
    exit failed
}
