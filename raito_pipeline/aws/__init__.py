"""Reading (and, for the push, changing) AWS: one client factory, then one module a service."""
