"""The promises, one a module, each a record named PROMISE."""
