"""Shows: pages rendered on the server, live with a little script and whole without it.

The rooms, each built on those before: words, views, forms, gathering, frame, api, routes.
"""
