# The words for a folder that another user can change: a message, and what to do about a folder of
# fleet's own and about another one.
# outputs: STEERED STEERED_OWN_REMEDY STEERED_REMEDY

STEERED='is writable for users other than root, who could redirect what fleet writes there'
STEERED_REMEDY="make it writable for root alone (\`chown root\`, \`chmod go-w\`)"
STEERED_OWN_REMEDY="move it away, and fleet makes a new one. Or, if you trust all that is in it, make \
it writable for root alone (\`chown root\`, \`chmod go-w\`)"
