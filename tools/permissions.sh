# shellcheck shell=sh
# Part of the launcher, ../occupancy: puts the permissions of Deno before its
# arguments, only those that the command and its settings need (docs/SECURITY.md,
# "On the machine"). Uses no programs: they would cost time at each start.
#
# If this script cannot read a setting, any_net, any_read or any_write allow all:
# the program knows more forms, and reports errors.

set -f
command=${1-}
net='' read='' write='' run='' any_net='' any_read='' any_write=''
broker='' listen='' http='' store='' config='' url='' users=''

# Deno separates paths by commas: one in a path allows all.
allow_read() {
  case $1 in
    "") ;;
    *,*) any_read=1 ;;
    *) read=${read:+$read,}$1 ;;
  esac
}

allow_write() {
  allow_read "$1"
  case $1 in
    *,*) any_write=1 ;;
    *) write=${write:+$write,}$1 ;;
  esac
}

# Allows the host and port of an address or URL.
allow_host() {
  host=${1#*://} host=${host%%[/?#]*} host=${host##*@}
  case $host in :*) host=127.0.0.1$host ;; esac
  case $host in
    "[::]" | "[::1]") name=localhost port=0 ;;
    "[::]":* | "[::1]":*) name=localhost port=${host##*:} ;;
    *:*) name=${host%%:*} port=${host#*:} ;;
    *) name=$host port=0 ;;
  esac
  case $name:$port in
    # Not a name that Deno accepts, or not a port.
    [:._-]* | *[!0-9A-Za-z:._-]* | *[._-]:* | *..* | *.-* | *-.*) any_net=1 ;;
    *: | *:*[!0-9]* | *:??????* | *:[7-9]???? | *:6[6-9]??? | *:65[6-9]??) any_net=1 ;;
    *:655[4-9]? | *:6553[6-9]) any_net=1 ;;
    # Another form of an IPv4 address, such as 127.1.
    0[Xx]* | 0[0-9]* | *.0[0-9]*) any_net=1 ;;
    *[!0-9.]*:*) ;;
    *.*.*.*:*) ;;
    *) any_net=1 ;;
  esac
  net=${net:+$net,}$host
}

# Allows an address to listen on. Server and doctor also connect to it.
allow_listen() {
  allow_host "$1"
  case $1 in
    0.0.0.0:*) allow_host "127.0.0.1:${1##*:}" ;;
    "[::]":*) allow_host "[::1]:${1##*:}" ;;
  esac
}

# Sets "folder" to that of a path.
folder_of() {
  case $1 in
    /*/*) folder=${1%/*} ;;
    /*) folder=/ ;;
    */*) folder=${1%/*} ;;
    *) folder=. ;;
  esac
}

# Allows the folder of a store, because SQLite creates files in it.
allow_store() {
  case $1 in
    sqlite:"~"/*) folder_of "${HOME-}${1#sqlite:"~"}" ;;
    sqlite:"~"* | *\\*) any_read=1 any_write=1 && return ;;
    sqlite:?*) folder_of "${1#sqlite:}" ;;
    # A cluster and Sentinels name other servers.
    [Rr][Ee][Dd][Ii][Ss]*://*) any_net=1 && return ;;
    *) return 0 ;;
  esac
  allow_write "$folder"
  # The server creates the folder only if the one above it exists.
  [ -d "$folder" ] || { folder_of "$folder" && allow_read "$folder"; }
  allow_parents
}

allow_default_store() { # the user's folder of data
  [ -n "$1" ] || return 0
  folder=$1/occupancy
  allow_write "$folder"
  allow_parents
}

# The doctor tries to create a file in the nearest folder that exists.
allow_parents() {
  [ "$command" = doctor ] || return 0
  while [ ! -d "$folder" ]; do folder_of "$folder"; done
  allow_write "$folder"
}

# Allows what the value of an option needs. An empty value sets nothing.
option() { # name, value
  [ -n "$2" ] || return 0
  case $1 in
    broker) broker=1 && allow_host "$2" ;;
    config) config=$2 && allow_read "$2" ;;
    url) url=1 && allow_host "$2" ;;
    ca | cert | key | password-file | file | http-token-file) allow_read "$2" ;;
    webhook-secret-file) allow_read "$2" ;;
    redis-password-file | redis-ca | redis-cert | redis-key) allow_read "$2" ;;
    tls-cert | tls-key | tls-client-ca) allow_read "$2" ;;
    # The images are in the same folder.
    map-file) allow_read "$2" && folder_of "$2" && allow_read "$folder" ;;
  esac
  case $command:$1 in
    server:listen | doctor:listen) listen=1 && allow_listen "$2" ;;
    server:webhook) allow_host "$2" ;;
    # Its folder is watched.
    server:zones) allow_read "$2" && folder_of "$2" && allow_read "$folder" ;;
    server:listen-tls | server:listen-ws | server:listen-wss) allow_listen "$2" ;;
    server:http | doctor:http) http=1 && { [ "$2" = off ] || allow_listen "$2"; } ;;
    users:users) users=1 && allow_write "$2" && allow_write "$2.new" ;;
    server:users) users=1 && allow_read "$2" ;;
    # Written beside it, then renamed; - is stdout.
    history:output) [ "$2" = - ] || { allow_write "$2" && allow_write "$2.new"; } ;;
    server:store | doctor:store) store=1 && allow_store "$2" ;;
  esac
}

# Reads lines such as: broker = "mqtt://broker.example". For other forms of TOML
# everything is allowed.
read_config() {
  [ -e "$1" ] || return 0
  [ -f "$1" ] && [ -r "$1" ] || { allow_all && return; } # a pipe
  while IFS="= 	" read -r key value || [ -n "$key" ]; do
    case $key in
      "" | "#"* | "["* | config) continue ;;
      *[!a-z-]*) allow_all ;;
    esac
    case $value in
      *\\* | *\"\"\"* | *"'''"* | "["* | "{"*) allow_all ;;
      \"*\"*) value=${value#\"} && option "$key" "${value%%\"*}" ;;
      "'"*"'"*) value=${value#"'"} && option "$key" "${value%%"'"*}" ;;
    esac
  done <"$1"
}

allow_all() {
  any_net=1 any_read=1 any_write=1
}

# A word that is no option: a file of readings, or of zones.
operand() { # word
  case $command:$action in
    client:*) option file "$1" ;;
    zones:import) allow_read "$1" ;;
    # Written beside it, then renamed.
    zones:export) allow_write "$1" && allow_write "$1.new" ;;
    zones:) case $1 in list | import | export | set | delete) action=$1 ;; esac ;;
    store:) [ "$1" != copy ] || action=copy ;;
    store:copy) allow_store "$1" ;;
  esac
}

action='' # of zones and store
expected=command # the option whose value is the next word
for word; do
  if [ -n "$expected" ]; then
    option "$expected" "$word" && expected='' && continue
  fi
  case $word in
    --*=*) word=${word#--} && option "${word%%=*}" "${word#*=}" ;;
    --broker | --listen | --http | --store | --config | --url) expected=${word#--} ;;
    --listen-tls | --listen-ws | --listen-wss) expected=${word#--} ;;
    --tls-cert | --tls-key | --tls-client-ca | --users) expected=${word#--} ;;
    --ca | --cert | --key | --password-file) expected=${word#--} ;;
    --webhook | --webhook-secret-file) expected=${word#--} ;;
    --redis-password-file | --redis-ca | --redis-cert | --redis-key) expected=${word#--} ;;
    --zones) [ "$command" != server ] || expected=zones ;; # others: a switch
    --file | --http-token-file | --map-file | --output) expected=${word#--} ;;
    --*) ;;
    -b) expected=broker ;;
    -l) expected=listen ;;
    -f) expected=file ;;
    -o) expected=output ;;
    -b*) option broker "${word#-b}" ;;
    -l*) option listen "${word#-l}" ;;
    -f*) option file "${word#-f}" ;;
    -o*) option output "${word#-o}" ;;
    -*[blfo]*) allow_all ;; # short options in one word, such as -qb
    -*) ;;
    *) operand "$word" ;;
  esac
done
[ -n "$broker" ] || option broker "${OCCUPANCY_BROKER-}"
[ -n "$listen" ] || option listen "${OCCUPANCY_LISTEN-}"
[ -n "$http" ] || option http "${OCCUPANCY_HTTP-}"
[ -n "$store" ] || option store "${OCCUPANCY_STORE-}"
[ -n "$config" ] || option config "${OCCUPANCY_CONFIG-}"
[ -n "$url" ] || option url "${OCCUPANCY_URL-}"
[ -n "$users" ] || option users "${OCCUPANCY_USERS-}"
option ca "${OCCUPANCY_CA-}"
option cert "${OCCUPANCY_CERT-}"
option key "${OCCUPANCY_KEY-}"
option password-file "${OCCUPANCY_PASSWORD_FILE-}"
option listen-tls "${OCCUPANCY_LISTEN_TLS-}"
option listen-ws "${OCCUPANCY_LISTEN_WS-}"
option listen-wss "${OCCUPANCY_LISTEN_WSS-}"
option tls-cert "${OCCUPANCY_TLS_CERT-}"
option tls-key "${OCCUPANCY_TLS_KEY-}"
option tls-client-ca "${OCCUPANCY_TLS_CLIENT_CA-}"
option file "${OCCUPANCY_FILE-}"
option map-file "${OCCUPANCY_MAP_FILE-}"
option zones "${OCCUPANCY_ZONES-}"
for word in ${OCCUPANCY_WEBHOOK-}; do option webhook "$word"; done
option webhook-secret-file "${OCCUPANCY_WEBHOOK_SECRET_FILE-}"
option http-token-file "${OCCUPANCY_HTTP_TOKEN_FILE-}"
option redis-password-file "${OCCUPANCY_REDIS_PASSWORD_FILE-}"
option redis-ca "${OCCUPANCY_REDIS_CA-}"
option redis-cert "${OCCUPANCY_REDIS_CERT-}"
option redis-key "${OCCUPANCY_REDIS_KEY-}"
[ -z "$config" ] || read_config "$config"
[ -z "${MQTTJS_SOCKS_PROXY-}" ] || any_net=1

case $command in
  server | doctor)
    [ -n "$broker$listen" ] || { allow_host localhost:1883 && allow_host 127.0.0.1:1883; }
    [ -n "$http" ] || allow_host 127.0.0.1:8080
    if [ -z "$store" ]; then
      allow_default_store "${XDG_DATA_HOME:-${HOME:+$HOME/.local/share}}"
      # On macOS. Other systems may have such a folder too.
      [ ! -d "${HOME-}/Library" ] || allow_default_store "${HOME:+$HOME/Library/Application Support}"
    fi
    # The doctor opens it many times, and a copy of the store.
    [ "$command" = server ] || { allow_read /dev/null && allow_write "${TMPDIR:-/tmp}"; }
    ;;
  "" | -* | help | version | completions | man | config)
    any_net=none any_write=none
    case $command in
      -V | --version | version) any_read=1 ;; # the commit
    esac
    ;;
  users) any_net=none ;;
  # A file is copied to be read.
  store) allow_write "${TMPDIR:-/tmp}" && [ -n "$any_net" ] || any_net=none ;;
  layers)
    any_write=none
    [ -n "$url" ] || allow_host 127.0.0.1:8080
    ;;
  zones | history) [ -n "$url" ] || allow_host 127.0.0.1:8080 ;;
  *)
    any_write=none
    [ -n "$broker" ] || allow_host localhost:1883
    ;;
esac
# The pager, or in a pipe tail, which detects that the pipe is closed.
case $command in
  server | doctor | store | "" | -* | help | version | completions | man) ;;
  *) if [ -t 1 ]; then run=${PAGER-less}; else run=tail; fi ;;
esac

# Each option below is added before the others.
set -- "$here/main.ts" "$@"
case $command in
  # The size of the memory limits the map.
  server | doctor | store) set -- --allow-sys=systemMemoryInfo "$@" ;;
esac
set -- --ignore-env --allow-env=OCCUPANCY_*,DENO_DIR,HOME,USERPROFILE,LOCALAPPDATA,XDG_*,TERM,XTERM_VERSION,COLORTERM,COLUMNS,LINES,NO_COLOR,PAGER,LESS,LV,MQTTJS_SOCKS_PROXY "$@"
[ -z "${run%% *}" ] || set -- "--allow-run=${run%% *}" "$@"
case $any_net in
  none) ;;
  "") set -- "--allow-net=$net" "$@" ;;
  *) set -- --allow-net "$@" ;;
esac
case $any_write:$write in
  none:* | :) ;;
  :*) set -- "--allow-write=$write" "$@" ;;
  *) set -- --allow-write "$@" ;;
esac
# The source code, and the list of downloaded packages.
allow_read "$here/src"
allow_read "$here/deno.json"
allow_read "${DENO_DIR:-${XDG_CACHE_HOME:-${HOME-}/.cache}/deno}/npm"
allow_read "${HOME-}/Library/Caches/deno/npm"
if [ -n "$any_read" ]; then
  set -- --allow-read "$@"
else
  set -- "--allow-read=$read" "$@"
fi
