mod rules;
mod statuses;
mod words;
