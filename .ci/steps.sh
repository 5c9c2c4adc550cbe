# Sourced by .ci/run and .ci/full: the toolchain, the folder of vendor data, steps that print their time, and skipped steps
# that are printed and counted.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v cargo >/dev/null 2>&1; then
  if [ ! -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
    # The components come with rust-toolchain.toml at the first call of cargo.
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --default-toolchain none
  fi
  export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}" CARGO_INCREMENTAL=0

skipped=0

step() {
  printf '\n== %s\n' "$*"
  local began=$SECONDS status=0
  "$@" || status=$?
  if [ "$status" = 0 ]; then
    printf '== %s: %d s\n' "$*" $((SECONDS - began))
  else
    printf '== %s: failed with %d after %d s\n' "$*" "$status" $((SECONDS - began))
  fi
  return "$status"
}

# skip WHAT WHY
skip() {
  printf '\n== skipped: %s: %s\n' "$1" "$2"
  skipped=$((skipped + 1))
}

finish() {
  printf '\n== passed in %d s, %d skipped\n' "$SECONDS" "$skipped"
}

install() {
  local sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

# The checks against vendor data read the neighbouring folder `shared`, if it exists.
if [ -z "${CONFLUENT_EBS_VENDOR_DATA:-}" ] && [ -d "$(dirname "$PWD")/shared" ]; then
  CONFLUENT_EBS_VENDOR_DATA="$(dirname "$PWD")/shared"
  export CONFLUENT_EBS_VENDOR_DATA
fi
if [ -z "${CONFLUENT_EBS_VENDOR_DATA:-}" ]; then
  skip 'checks against vendor data' 'set CONFLUENT_EBS_VENDOR_DATA'
fi
