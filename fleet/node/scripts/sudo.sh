# Do nothing but answer: the driver only checks whether sudo works.
# requires: environment protocol

protocol_begin
protocol_end
