"""What the tests share: the fleet command as a user types it, and nodes made pristine."""
