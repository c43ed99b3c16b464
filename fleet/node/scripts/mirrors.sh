# Facts for a test of mirrors: resolved names, the CA bundle, the daemon's proxies. KNOWN are
# digests of bundles that need not be sent again.
# requires: environment protocol
# inputs: KNOWN NAMES PATIENCE UNIT

protocol_begin
protocol_value arch "$(uname -m)"
protocol_value now "$(date +%s)"

mirrors_resolve() {
    local code address kind addresses found
    found=$(timeout "$PATIENCE" getent ahosts "$1" 2>/dev/null)
    code=$?
    addresses=$(printf '%s\n' "$found" | while read -r address kind _; do
        case $kind in STREAM) printf '%s\n' "$address" ;; esac
    done | head -n 8)
    printf 'name\t%s\t%s\t%s\n' "$(printf '%s' "$1" | protocol_base64)" "$code" \
        "$(printf '%s' "$addresses" | protocol_base64)"
}

if command -v getent >/dev/null; then
    JOBS=
    for name in $NAMES; do # in parallel: a dead DNS server costs a timeout for every name
        mirrors_resolve "$name" &
        JOBS="$JOBS $!"
    done
    for job in $JOBS; do wait "$job"; done
fi

pid=0
for unit in $UNIT containerd k3s k3s-agent rke2-server rke2-agent k0sworker k0scontroller \
    snap.microk8s.daemon-containerd snap.k8s.containerd; do
    pid=$(systemctl show "$unit" -p MainPID --value 2>/dev/null)
    [ "${pid:-0}" = 0 ] || break
done
environment=$(tr '\0' '\n' 2>/dev/null <"/proc/${pid:-0}/environ")
bundle=
while IFS= read -r line; do
    case $line in
    HTTP_PROXY=* | HTTPS_PROXY=* | NO_PROXY=* | http_proxy=* | https_proxy=* | no_proxy=*)
        protocol_value environment "$line"
        ;;
    SSL_CERT_FILE=*) bundle=${line#*=} ;;
    esac
done <<LIST
$environment
LIST
# Use the first bundle that exists, in the order of Go's crypto/x509.
for path in "$bundle" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt \
    /etc/ssl/ca-bundle.pem /etc/pki/tls/cacert.pem \
    /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem /etc/ssl/cert.pem; do
    [ -f "$path" ] && [ -r "$path" ] || continue
    sum=$(sha256sum <"$path")
    protocol_value bundle "${sum%% *}"
    case " $KNOWN " in
    *" ${sum%% *} "*) ;;
    *) printf 'roots\t%s\n' "$(gzip -c <"$path" | protocol_base64)" ;;
    esac
    break
done
protocol_end
