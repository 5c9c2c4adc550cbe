//! The slow group: every command under each fault.

mod faults;

use crate::secrets::assert_no_secret_leaks;

#[test]
fn no_secret_is_printed_or_kept_when_requests_fail() {
    assert_no_secret_leaks("-vvvv -o json", true);
}
