//! Templates of pipelines.

use askama::Template;

use super::{
    PipelineInput,
    generated_file::GeneratedFile,
    options::{Forge, PipelineOptions},
    place::PipelinePlace,
};
use crate::error::{Error, ResultExt as _};

/// Actions of GitHub, each pinned to the commit of a release: a tag can be moved, a commit cannot.
struct ActionVersions {
    checkout: &'static str,
    upload: &'static str,
    download: &'static str,
}

const ACTIONS: ActionVersions = ActionVersions {
    checkout: "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0",
    upload: "actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0",
    download: "actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131 # v7.0.0",
};

#[derive(Template)]
#[template(path = "github.yml", escape = "none", syntax = "pipeline", whitespace = "preserve")]
struct GithubWorkflow<'a> {
    options: &'a PipelineOptions,
    actions: ActionVersions,
    check_command: String,
    has_platform: bool,
    places: &'a [PipelinePlace],
    /// JSON object for an expression.
    places_by_address: String,
}

#[derive(Template)]
#[template(
    path = "github-stage.yml",
    escape = "none",
    syntax = "pipeline",
    whitespace = "preserve"
)]
struct GithubStageWorkflow<'a> {
    options: &'a PipelineOptions,
    actions: ActionVersions,
    /// Variables of all departments; an environment has only those of its department.
    secrets: Vec<&'a str>,
}

#[derive(Template)]
#[template(path = "gitlab.yml", escape = "none", syntax = "pipeline", whitespace = "preserve")]
struct GitlabPipeline<'a> {
    options: &'a PipelineOptions,
    check_command: String,
    has_platform: bool,
    places: &'a [PipelinePlace],
}

#[derive(Template)]
#[template(
    path = "gitlab-root.yml",
    escape = "none",
    syntax = "pipeline",
    whitespace = "preserve"
)]
struct GitlabRoot;

#[derive(Template)]
#[template(path = "azure.yml", escape = "none", syntax = "pipeline", whitespace = "preserve")]
struct AzurePipeline<'a> {
    options: &'a PipelineOptions,
    check_command: String,
    has_platform: bool,
    places: &'a [PipelinePlace],
}

#[derive(Template)]
#[template(
    path = "azure-stage.yml",
    escape = "none",
    syntax = "pipeline",
    whitespace = "preserve"
)]
struct AzureStage;

/// Returns the pipelines of the forge.
pub(super) fn pipeline_files(input: &PipelineInput<'_>) -> Result<Vec<GeneratedFile>, Error> {
    let PipelineInput { options, places, .. } = input;
    let check_command = format!("{} --check", options.command());
    let has_platform = input.has_platform;
    let whole = |path, content| Ok(GeneratedFile::whole(path, options.command(), content));
    match options.forge {
        Forge::Github => {
            let workflow = GithubWorkflow {
                options,
                actions: ACTIONS,
                check_command,
                has_platform,
                places,
                places_by_address: places_by_address(places),
            };
            let stage = GithubStageWorkflow {
                options,
                actions: ACTIONS,
                secrets: all_secrets(places),
            };
            [
                (".github/workflows/connectors.yml", render(&workflow)?),
                (".github/workflows/connectors-stage.yml", render(&stage)?),
            ]
            .into_iter()
            .map(|(path, content)| whole(path, content))
            .collect()
        }
        Forge::Gitlab => {
            let pipeline = GitlabPipeline {
                options,
                check_command,
                has_platform,
                places,
            };
            let path = ".gitlab/connectors.yml";
            Ok(vec![
                GeneratedFile::initial(".gitlab-ci.yml", path, render(&GitlabRoot)?),
                whole(path, render(&pipeline)?)?,
            ])
        }
        Forge::Azure => {
            let pipeline = AzurePipeline {
                options,
                check_command,
                has_platform,
                places,
            };
            [
                (".azure/connectors.yml", render(&pipeline)?),
                (".azure/connectors-stage.yml", render(&AzureStage)?),
            ]
            .into_iter()
            .map(|(path, content)| whole(path, content))
            .collect()
        }
    }
}

/// Returns the rendered template with one line break at its end.
fn render(template: &impl Template) -> Result<String, Error> {
    let text = template.render().context("cannot generate a pipeline")?;
    Ok(format!("{}\n", text.trim_end()))
}

fn all_secrets(places: &[PipelinePlace]) -> Vec<&str> {
    let mut names: Vec<&str> = places
        .iter()
        .flat_map(|place| place.secrets.iter().map(String::as_str))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn places_by_address(places: &[PipelinePlace]) -> String {
    let entries = places.iter().map(|place| {
        let value = serde_json::json!({
            "department": place.department,
            "stage": place.stage,
            "variable": place.variable,
        });
        (place.address.clone(), value)
    });
    serde_json::Value::Object(entries.collect()).to_string()
}
