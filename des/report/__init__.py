"""What people read: tables from finished runs."""
