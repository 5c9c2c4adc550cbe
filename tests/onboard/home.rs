//! A home with a sandbox in it: the binary works there, and the test looks at the sandbox behind its back.
