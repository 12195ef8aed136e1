"""A server of one model: an HTTP interface for programs and a page for people."""
