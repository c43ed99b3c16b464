# Relay to CRI's socket, for fleet's CRI client. In: SOCKET.
# requires: environment protocol cri_relay

protocol_begin
cri_relay_run
