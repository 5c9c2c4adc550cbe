//! Selection of several connectors: ids, names and patterns, or all connectors of the department.

use super::selectors;
use crate::{error::Error, resources::connector::LiveConnector, session::ConnectorSession};

/// Lists the connectors and returns those that `written` selects, or all of the department.
///
/// # Errors
/// A name belongs to another department, all are selected without a department, the request fails, or as for
/// [`selectors::select`].
pub async fn find_several(
    session: &ConnectorSession,
    written: &[String],
    all: bool,
) -> Result<Vec<LiveConnector>, Error> {
    if all {
        // Without a department, this would select the connectors of all departments.
        session.require_department()?;
    }
    selectors::reject_foreign_names(session.department.as_ref(), written)?;
    let list = session.connectors.list_selected(written).await?;
    if all {
        Ok(selectors::select_all(session, &list))
    } else {
        selectors::select(session, &list, written)
    }
}
