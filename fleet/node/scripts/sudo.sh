# Do nothing but answer: the driver only checks whether sudo works.
hello
bye
