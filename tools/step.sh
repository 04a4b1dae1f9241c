# Sourced by the scripts beside it: says what a script is doing and how long
# it has been at it.

# step TEXT prints a heading with the time since the script began.
step() {
  printf '\n==> [%02d:%02d] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"
}
