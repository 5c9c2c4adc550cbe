//! Role → operations and legal scopes.
