"""Extensions of Paramiko that use its private API."""
