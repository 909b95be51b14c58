"""What can be asked for over HTTP. A route asks, builds a view and renders it; it decides nothing."""
