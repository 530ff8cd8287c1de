/** Where a server listens. */
export const PORT = 8080;
/** More than fits into one packet of any MTU, so that a path that loses big packets shows. */
export const BYTES = 65_536;

/** Serves some bytes until its Job ends it. */
export const SERVE = `mkdir -p /tmp/probe && head -c ${BYTES} /dev/zero >/tmp/probe/bytes && exec httpd -f -p ${PORT} -h /tmp/probe`;

/**
 * Makes every check and writes a line for each into the termination message (domain/probes/networkChecks.ts). What it is about comes by
 * the environment, so nothing is quoted into it: PEER (may be empty), TIMEOUT, EGRESS, RESULT.
 *
 * The cluster's domain is read from resolv.conf: nslookup of busybox does not search. An HTTP error of the API server is an answer, and so
 * is its refusal of the few ciphers that busybox knows: what is asked is whether it can be reached. Not every busybox has `nc -z`; `-e true`
 * ends as soon as there is a connection.
 */
export const ASK = `
status=0
check() {
  key=$1
  shift
  if said=$("$@" 2>&1); then line="ok $key"; else line="failed $key $(echo "$said" | tail -n 2 | tr '\\n' ' ' | cut -c 1-200)"; status=1; fi
  echo "$line"
  echo "$line" >>"\${RESULT:-/dev/termination-log}"
}
pods() {
  count=$(timeout "$TIMEOUT" wget -q -O - "http://$PEER:${PORT}/bytes" | wc -c)
  echo "$count of ${BYTES} bytes"
  [ "$count" -eq ${BYTES} ]
}
dns() {
  domain=$(awk '/^search/ { for (i = 2; i <= NF; i++) if ($i ~ /^svc[.]/) print substr($i, 5) }' "\${RESOLV:-/etc/resolv.conf}" | head -n 1)
  timeout "$TIMEOUT" nslookup "kubernetes.default.svc.\${domain:-cluster.local}"
}
api() {
  said=$(timeout "$TIMEOUT" wget -q --no-check-certificate -O /dev/null "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/readyz" 2>&1) && return 0
  echo "\${said:-no answer within $TIMEOUT s}"
  echo "$said" | grep -q -e 'HTTP/' -e 'TLS error from peer'
}
egress() {
  nc -w "$TIMEOUT" "\${1%:*}" "\${1##*:}" -e true || { echo "no connection within $TIMEOUT s"; return 1; }
}
[ -n "$PEER" ] && check pods pods
check dns dns
check api api
for target in $EGRESS; do check "egress=$target" egress "$target"; done
exit $status
`;
