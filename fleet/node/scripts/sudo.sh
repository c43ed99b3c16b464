# Say who we are, and no more: whether sudo lets us in is all that is to be known.
hello
bye
