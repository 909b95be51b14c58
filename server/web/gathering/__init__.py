"""From rows to views: what a page needs, asked for the reader and put together, and which clicks it may offer."""
