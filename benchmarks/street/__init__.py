"""The product's own processes under load: a broker, a database, roles of the server, and gateways that do not exist."""
