"""Critics mark drafts before they are committed."""
