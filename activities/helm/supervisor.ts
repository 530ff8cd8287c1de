/**
 * The POSIX sh program between the worker and helm. It exists because a worker that is killed with -9 must not leave a helm behind
 * that goes on writing: nobody would know of it, and the next helm would run beside it.
 *
 * Protocol: stdin is a pipe that the worker holds open. Helm starts only after the line `go` (by then the attempt is recorded);
 * when the pipe closes for whatever reason - the worker died, or let go - helm is killed with -9. So it is after `$1` seconds.
 * Helm's exit code is passed on; 137 where it was killed. `read` is a builtin, so the watcher leaves no process of its own behind;
 * the timer's `sleep` is killed by its trap.
 *
 * Arguments: $1 limit in seconds, the rest: the command.
 */
export const SUPERVISOR = `
read -r go || exit 125
[ "$go" = go ] || exit 125
limit=$1; shift
exec 3<&0
"$@" 3<&- </dev/null &
helm=$!
( while read -r _ <&3; do :; done; kill -KILL "$helm" ) >/dev/null 2>&1 &
watch=$!
( exec 3<&-; sleep "$limit" & s=$!; trap 'kill -KILL "$s"; exit' TERM; wait "$s"; kill -KILL "$helm" ) >/dev/null 2>&1 &
timer=$!
wait "$helm"
rc=$?
kill -KILL "$watch" 2>/dev/null
kill -TERM "$timer" 2>/dev/null
wait "$timer" 2>/dev/null
exit $rc
`;
