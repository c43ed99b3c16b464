"""One function a command: what `fleet` does is read off these pages."""
