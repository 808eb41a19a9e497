//! The program: reads the command line, runs one command, turns its result into an exit code.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use tool_router::cli::{Cli, Command, Exit, calibrate, doctor, eval, fit, output, replay, serve};
use tool_router::config::{Config, Overrides};
use tool_router::eval::Model;
use tool_router::{app, config, telemetry};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runs_a_model = match &cli.command {
        Command::Serve(_) | Command::Doctor(_) | Command::Fit(_) | Command::Calibrate(_) | Command::Replay(_) => true,
        Command::Eval(arguments) => arguments.needs_model(),
        _ => false,
    };
    if cfg!(feature = "onnx") && runs_a_model && config::runtime_would_report() {
        let error = silenced();
        output::complain(&format!("cannot start itself again with {}=1 set: {error}; set it yourself", config::NO_REPORTS));
        return ExitCode::FAILURE;
    }
    let result = match cli.command {
        Command::Serve(arguments) => serve(&arguments),
        Command::Eval(arguments) if arguments.needs_model() => {
            let (file, overrides) = (arguments.config().map(Path::to_owned), arguments.overrides());
            with_model(file.as_deref(), &overrides, |config, model| eval::run(arguments, config.index.choice(), model))
        }
        Command::Eval(arguments) => eval::read(&arguments),
        Command::Fit(arguments) => {
            let file = arguments.config.clone();
            with_model(file.as_deref(), &Overrides::default(), |_, model| fit::run(arguments, model))
        }
        Command::Calibrate(arguments) => {
            let file = arguments.config.clone();
            with_model(file.as_deref(), &Overrides::default(), |_, model| calibrate::run(arguments, model))
        }
        Command::Replay(arguments) => {
            let (file, overrides) = (arguments.config().map(Path::to_owned), arguments.overrides());
            with_model(file.as_deref(), &overrides, |config, model| replay::run(arguments, config.clone(), model))
        }
        Command::Doctor(arguments) => {
            let loaded = config::load(arguments.config.as_deref(), &Overrides::default()).map_err(|e| Exit::bad_config(&e));
            let load = |config: &Config| app::load_embedder(&config.embedder).map_err(|e| e.to_string());
            loaded.and_then(|config| on_runtime(doctor::run(arguments, config, load)))
        }
        command => on_runtime(tool_router::cli::run(command)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => {
            output::complain(&exit.message);
            ExitCode::from(exit.code)
        }
    }
}

/// Becomes the same program with one variable more; comes back only when that fails.
///
/// ONNX Runtime's published builds send what they are used for to their maker and keep a device id in the home folder. What its interface
/// offers against that takes effect too late, after the first report is made; only the environment it is loaded in stops it.
fn silenced() -> std::io::Error {
    use std::os::unix::process::CommandExt;
    let mut arguments = std::env::args_os();
    let name = arguments.next();
    match std::env::current_exe() {
        Ok(program) => {
            let mut again = std::process::Command::new(&program);
            again.arg0(name.unwrap_or_else(|| program.into())).args(arguments).env(config::NO_REPORTS, "1").exec()
        }
        Err(error) => error,
    }
}

fn on_runtime(work: impl Future<Output = Result<(), Exit>>) -> Result<(), Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|e| Exit::failed(format!("the runtime does not start: {e}")))?.block_on(work)
}

/// The model is the root's to load; the command gets it ready.
fn with_model<W>(file: Option<&Path>, overrides: &Overrides, work: impl FnOnce(&Config, Model) -> W) -> Result<(), Exit>
where
    W: Future<Output = Result<(), Exit>>,
{
    let config = config::load(file, overrides).map_err(|e| Exit::bad_config(&e))?;
    let failed = |e: &dyn std::fmt::Display| Exit::failed(e.to_string());
    let load = |workers| {
        let embedder = config::Embedder { workers, ..config.embedder.clone() };
        app::load_embedder(&embedder).map_err(|e| failed(&e))
    };
    let reranker = app::load_reranker(&config).and_then(|loaded| app::start_reranking(&config, loaded));
    let reranking = reranker.map_err(|e| failed(&e))?;
    let (queries, documents) = (load(Some(1))?, load(None)?);
    let policy = app::load_policy(&config, &queries.info).map_err(|e| failed(&e))?;
    let model = Model::new(queries, documents).map_err(|e| failed(&e))?;
    on_runtime(work(&config, model.with_policy(policy).with_reranking(reranking)))
}

fn serve(arguments: &serve::Arguments) -> Result<(), Exit> {
    let config = config::load(arguments.config.as_deref(), &arguments.overrides()).map_err(|e| Exit::bad_config(&e))?;
    let log = telemetry::LogOptions { format: config.log.format, filter: config.log.filter.clone() };
    let identity = config.telemetry.identity();
    let options = config.telemetry.options(log, identity.clone()).map_err(|e| Exit::bad_config(&e))?;
    let telemetry = telemetry::init(options).map_err(|e| Exit::bad_config(&e))?;
    on_runtime(async {
        let telemetry = telemetry.start().map_err(|e| Exit::bad_config(&e))?;
        let listeners = app::Listeners::bind(&config).await.map_err(|e| Exit::failed(e.to_string()))?;
        let configs = serve::reread(arguments.config.clone(), arguments.overrides());
        let outcome = app::run(&config, &identity, listeners, serve::shutdown_signal(), configs).await;
        telemetry.stop().await;
        outcome.map_err(|e| match e {
            app::AppError::Config(e) => Exit::bad_config(&e),
            other => Exit::failed(other.to_string()),
        })
    })
}
