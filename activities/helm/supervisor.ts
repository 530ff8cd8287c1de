/**
 * The POSIX sh program between the worker and helm. It exists because a worker that is killed with -9 must not leave a helm behind
 * that goes on writing: nobody would know of it, and the next helm would run beside it.
 *
 * Protocol: stdin is a pipe that the worker holds open. Helm starts only after the line `go` (by then the attempt is recorded);
 * when the pipe closes for whatever reason - the worker died, or let go - helm is killed with -9. So it is after `$1` seconds.
 * Helm's exit code is passed on; 137 where it was killed. `read` is a builtin, so the watcher leaves no process of its own behind;
 * the timer's `sleep` is killed by its trap, which names it by `$!` since that is set in the same breath as the process begins.
 * The shell's own stderr goes nowhere: it says "Killed", and on the broken pipe of a dead worker that would be its own end (SIGPIPE)
 * before it has cleared up.
 *
 * Arguments: $1 limit in seconds, the rest: the command.
 */
export const SUPERVISOR = `
read -r go || exit 125
[ "$go" = go ] || exit 125
limit=$1; shift
exec 3<&0 4>&2 2>/dev/null
"$@" 3<&- 2>&4 4>&- </dev/null &
helm=$!
exec 4>&-
( while read -r _ <&3; do :; done; kill -KILL "$helm" ) >/dev/null &
watch=$!
( trap 'kill -KILL "$!"; wait; exit 0' TERM; exec 3<&-; sleep "$limit" & wait "$!" && kill -KILL "$helm" ) >/dev/null &
timer=$!
wait "$helm"
rc=$?
kill -KILL "$watch"
kill -TERM "$timer"
wait
exit $rc
`;
