"""The words that pages show, and the catalogues of their translations (`server/web/locales`)."""
