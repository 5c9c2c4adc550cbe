mod rules;
mod statuses;
mod messages;
