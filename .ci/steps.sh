# Sourced by .ci/run and .ci/full: steps that print their time, skipped steps that are printed and counted, and what a new
# machine lacks (a C compiler, the toolchain).

cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}" CARGO_INCREMENTAL=0

skipped=0

# step COMMAND…: a command, or a function, in which each command that fails ends the step. If the step is part of a
# condition (`if step …`, `step … ||`), Bash ignores failures inside of a function; use it there for commands.
step() {
  printf '\n== %s\n' "$*"
  local started=$SECONDS status=0 options=$-
  set +e
  (set -e; "$@")
  status=$?
  [[ $options != *e* ]] || set -e
  if [ "$status" = 0 ]; then
    printf '== %s: %d s\n' "$*" $((SECONDS - started))
  else
    printf '== %s: failed with %d after %d s\n' "$*" "$status" $((SECONDS - started))
  fi
  return "$status"
}

# skip WHAT WHY
skip() {
  printf '\n== skipped: %s: %s\n' "$1" "$2"
  skipped=$((skipped + 1))
}

# Prints the result and the time of the whole run, also when a step fails.
finish() {
  local status=$?
  if [ "$status" = 0 ]; then
    printf '\n== passed in %d s, %d skipped\n' "$SECONDS" "$skipped"
  else
    printf '\n== failed after %d s\n' "$SECONDS"
  fi
}
trap finish EXIT

# install PACKAGE…: packages of Debian or Ubuntu.
install() {
  local sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

# The toolchain and its components come with rust-toolchain.toml at the first call of cargo.
install_rustup() {
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --default-toolchain none
}

missing=()
command -v cc >/dev/null 2>&1 || missing+=(gcc libc6-dev)
command -v curl >/dev/null 2>&1 || missing+=(curl ca-certificates)
if [ "${#missing[@]}" -gt 0 ]; then
  step install "${missing[@]}"
fi
if ! command -v cargo >/dev/null 2>&1; then
  export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
  command -v cargo >/dev/null 2>&1 || step install_rustup
fi

# The checks against vendor data read the neighbouring folder `shared`, if it exists.
if [ -z "${CONFLUENT_EBS_VENDOR_DATA:-}" ] && [ -d "$(dirname "$PWD")/shared" ]; then
  CONFLUENT_EBS_VENDOR_DATA="$(dirname "$PWD")/shared"
  export CONFLUENT_EBS_VENDOR_DATA
fi
if [ -z "${CONFLUENT_EBS_VENDOR_DATA:-}" ]; then
  skip 'checks against vendor data' 'set CONFLUENT_EBS_VENDOR_DATA'
fi
