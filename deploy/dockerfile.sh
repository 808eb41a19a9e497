# shellcheck shell=bash
# Reads the Dockerfile, so that checks without an engine take their list of files, their settings and their commands from it and cannot
# drift away from it. To be sourced; knows the plain forms that deploy/Dockerfile keeps to.

dockerfile=$(dirname "${BASH_SOURCE[0]}")/Dockerfile

# instructions STAGE [KEYWORD]: the stage's instructions, one a line, continued lines joined; of one keyword: its arguments alone.
# The last stage is called `final`.
instructions() {
    awk -v stage="$1" -v keyword="${2:-}" '
        /^[ \t]*(#|$)/ { next }
        { sub(/^[ \t]+/, ""); line = line $0 }
        /\\$/ { sub(/\\$/, "", line); next }
        {
            word = line; sub(/[ \t].*/, "", word)
            rest = line; sub(/^[^ \t]+[ \t]*/, "", rest)
            if (word == "FROM") { n = split(rest, part, /[ \t]+/); here = n == 3 ? part[3] : "final" }
            else if (here == stage && keyword == "") print line
            else if (here == stage && word == keyword) print rest
            line = ""
        }' "$dockerfile"
}

# words INSTRUCTION: the words of its JSON form, one a line.
words() {
    instructions final "$1" | tr -d '[]"' | tr ',' '\n' | sed 's/^ *//'
}

# health_command: what HEALTHCHECK gives to the shell.
health_command() {
    instructions final HEALTHCHECK | sed 's/^.*[ \t]CMD //'
}
