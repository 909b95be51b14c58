"""Shows: pages rendered on the server, live with a little script and whole without it."""
