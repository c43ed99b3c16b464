# Do nothing but reply: fleet only checks whether sudo works.
# requires: environment protocol

protocol_begin
protocol_end
