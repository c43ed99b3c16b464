# Relay input and output to CRI's socket, for fleet's CRI client.
# requires: environment protocol cri_relay

protocol_begin
cri_relay_run
