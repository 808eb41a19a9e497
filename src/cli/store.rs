//! `tool-router store`: the store itself, without a router: bring it up to date, copy it, back it up, check it.

use std::io::{BufRead, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Exit, output};
use crate::config::{self, Overrides};
use crate::store::backup::{self, Backup, Epoch, Kept};
use crate::store::place::{Found, Place};
use crate::store::{Store, StoreError};

/// What to do with a store.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bring a store's schema up to this build; with --to, copy its tools, vectors and paused sources into another, empty store
    Migrate(MigrateArguments),
    /// Write a backup: JSON lines that end in their checksum
    Export(ExportArguments),
    /// Put a backup into an empty store, as the beginning of a new history
    Import(ImportArguments),
    /// Check stores and backups; of several, whether they hold the same
    Verify(VerifyArguments),
}

/// Which store.
#[derive(Args, Debug)]
struct Which {
    /// postgres://…, @FILE that holds such an address, or an SQLite file; without it the configured one
    #[arg(long, value_name = "STORE", conflicts_with = "config")]
    store: Option<String>,
    /// Configuration file that says which
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Flags of `store migrate`.
#[derive(Args, Debug)]
pub struct MigrateArguments {
    #[command(flatten)]
    which: Which,
    /// The empty store to copy into, written as --store
    #[arg(long, value_name = "STORE")]
    to: Option<String>,
}

/// Flags of `store export`.
#[derive(Args, Debug)]
pub struct ExportArguments {
    /// Where to write; - for standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// Flags of `store import`.
#[derive(Args, Debug)]
pub struct ImportArguments {
    /// The backup; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// Flags of `store verify`.
#[derive(Args, Debug)]
pub struct VerifyArguments {
    /// Stores, written as --store, and backups; without any, the configured store
    #[arg(value_name = "STORE")]
    stores: Vec<String>,
    /// Configuration file that says which, where none is named
    #[arg(long, value_name = "FILE", conflicts_with = "stores")]
    config: Option<PathBuf>,
    /// As JSON lines
    #[arg(long)]
    json: bool,
}

/// Runs one of them.
pub(super) async fn run(command: Command) -> Result<(), Exit> {
    match command {
        Command::Migrate(arguments) => migrate(arguments).await,
        Command::Export(arguments) => export(arguments).await,
        Command::Import(arguments) => import(arguments).await,
        Command::Verify(arguments) => verify(arguments).await,
    }
}

impl Which {
    fn place(self) -> Result<Place, Exit> {
        match self.store {
            Some(store) => named(&store),
            None => configured(self.config.as_deref()),
        }
    }
}

fn named(store: &str) -> Result<Place, Exit> {
    Place::parse(store).map(Place::patient).map_err(Exit::failed)
}

fn configured(file: Option<&Path>) -> Result<Place, Exit> {
    let config = config::load(file, &Overrides::default()).map_err(|e| Exit::bad_config(&e))?;
    config.store_place().map(Place::patient).map_err(|e| Exit::bad_config(&e))
}

/// Reads a store that must be there already. An older schema is left as it is: whoever only looks must not end the way back.
async fn existing(place: &Place) -> Result<Backup, Exit> {
    let name = place.name();
    match place.look().await.map_err(|e| failed(&e))? {
        Found::Nothing => return Err(Exit::failed(format!("{name}: there is no store"))),
        Found::Store { schema, known, .. } if schema < known => {
            let older = format!("{name} has schema version {schema}, this build reads {known}");
            let what = "bring it up with `tool-router store migrate`, or use the build that wrote it; nothing was changed";
            return Err(Exit::failed(format!("{older}: {what}")));
        }
        Found::Store { .. } => (),
    }
    let store = place.open().await.map_err(|e| failed(&e))?;
    let backup = Backup::of(store.as_ref()).await.map_err(|e| failed(&e));
    store.close().await;
    backup
}

async fn migrate(arguments: MigrateArguments) -> Result<(), Exit> {
    let from = arguments.which.place()?;
    let Some(to) = arguments.to.as_deref().map(named).transpose()? else {
        from.open().await.map_err(|e| failed(&e))?.close().await;
        output::line(&format!("{} has this build's schema", from.name()));
        return Ok(());
    };
    let spinner = output::spinner(&format!("reading {}", from.name()));
    let backup = existing(&from).await?;
    sound(&backup, &from.name())?;
    spinner.set_message(format!("writing {} tools to {}", backup.tools(), to.name()));
    let copy = put(&backup, &to, Epoch::Kept, "store migrate").await?;
    spinner.finish_and_clear();
    same(&backup, &copy, &to.name())?;
    output::line(&format!("copied {} from {} to {}", summary(&backup), from.name(), to.name()));
    Ok(())
}

async fn export(arguments: ExportArguments) -> Result<(), Exit> {
    let place = arguments.which.place()?;
    let spinner = output::spinner(&format!("reading {}", place.name()));
    let backup = existing(&place).await?;
    sound(&backup, &place.name())?;
    let file = &arguments.file;
    let failed = |e: &dyn std::fmt::Display| Exit::failed(format!("{}: {e}", file.display()));
    spinner.finish_and_clear();
    if is_dash(file) {
        backup::write(&backup, BufWriter::new(std::io::stdout().lock())).map_err(|e| failed(&e))?;
        return Ok(());
    }
    let written = backup::write_file(&backup, file).map_err(|e| failed(&e))?;
    let lines = output::thousands(written.lines);
    output::line(&format!("wrote {} to {}: {lines} lines, sha256 {}", summary(&backup), file.display(), written.sha256));
    Ok(())
}

async fn import(arguments: ImportArguments) -> Result<(), Exit> {
    let place = arguments.which.place()?;
    let name = arguments.file.display().to_string();
    let wrong = |e: &dyn std::fmt::Display| Exit::failed(format!("{name}: {e}"));
    let from: Box<dyn BufRead> = if is_dash(&arguments.file) {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        Box::new(BufReader::new(std::fs::File::open(&arguments.file).map_err(|e| wrong(&e))?))
    };
    let backup = backup::read(from).map_err(|e| wrong(&e))?;
    sound(&backup, &name)?;
    let spinner = output::spinner(&format!("writing {} tools to {}", backup.tools(), place.name()));
    let copy = put(&backup, &place, Epoch::Drawn, "store import").await?;
    spinner.finish_and_clear();
    same(&backup, &copy, &place.name())?;
    output::line(&format!("put {} from {name} into {}", summary(&backup), place.name()));
    Ok(())
}

/// Writes into a store that has no tools, and reads what is there then.
async fn put(backup: &Backup, place: &Place, epoch: Epoch, actor: &str) -> Result<Backup, Exit> {
    let store = place.open().await.map_err(|e| failed(&e))?;
    let written = put_open(backup, store.as_ref(), &place.name(), epoch, actor).await;
    store.close().await;
    written
}

async fn put_open(backup: &Backup, store: &dyn Store, name: &str, epoch: Epoch, actor: &str) -> Result<Backup, Exit> {
    let there = store.versions().await.map_err(|e| failed(&e))?;
    if let Some((tenant, version)) = there.first() {
        let has = format!("{name} is not empty: tenant {} is at version {version}", tenant.as_str());
        return Err(Exit::failed(format!("{has}; name an empty store, nothing was changed")));
    }
    backup.put_into(store, epoch, actor).await.map_err(|e| failed(&e))?;
    Backup::of(store).await.map_err(|e| failed(&e))
}

/// What is checked, tenant by tenant.
struct Checked {
    name: String,
    backup: Backup,
}

async fn verify(arguments: VerifyArguments) -> Result<(), Exit> {
    let mut all = Vec::new();
    if arguments.stores.is_empty() {
        let place = configured(arguments.config.as_deref())?;
        all.push(Checked { name: place.name(), backup: existing(&place).await? });
    }
    for store in &arguments.stores {
        all.push(read(store).await?);
    }
    let mut faults = Vec::new();
    for Checked { name, backup } in &all {
        for kept in &backup.tenants {
            faults.extend(kept.faults().into_iter().map(|fault| format!("{name}: {fault}")));
            show(name, kept, arguments.json);
        }
        if backup.tenants.is_empty() && !arguments.json {
            output::line(&format!("{name}: empty"));
        }
    }
    if let [first, others @ ..] = all.as_slice() {
        for other in others {
            faults.extend(same(&first.backup, &other.backup, &other.name).err().map(|exit| exit.message));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Exit::failed(faults.join("\n"))) }
}

fn show(name: &str, kept: &Kept, as_json: bool) {
    let (tenant, version) = (kept.stored.tenant.as_str(), kept.stored.version);
    let (tools, vectors, checksum) = (kept.stored.records.len(), kept.vectors.len(), kept.checksum());
    if as_json {
        let version = version.to_string();
        let line = json!({ "store": name, "tenant": tenant, "version": version, "tools": tools, "vectors": vectors, "sha256": checksum });
        output::line(&line.to_string());
    } else {
        let (tools, vectors) = (output::thousands(tools as u64), output::thousands(vectors as u64));
        output::line(&format!("{name}: tenant {tenant} version {version}: {tools} tools, {vectors} vectors, sha256 {checksum}"));
    }
}

/// A backup, told by its first bytes, or a store.
async fn read(store: &str) -> Result<Checked, Exit> {
    let mut first = [0; 10];
    let is_backup =
        std::fs::File::open(store).is_ok_and(|mut file| file.read_exact(&mut first).is_ok()) && first == *b"{\"backup\":";
    if is_backup {
        let wrong = |e: &dyn std::fmt::Display| Exit::failed(format!("{store}: {e}"));
        let file = std::fs::File::open(store).map_err(|e| wrong(&e))?;
        return Ok(Checked { name: store.to_owned(), backup: backup::read(BufReader::new(file)).map_err(|e| wrong(&e))? });
    }
    let place = named(store)?;
    Ok(Checked { name: place.name(), backup: existing(&place).await? })
}

fn same(one: &Backup, other: &Backup, name: &str) -> Result<(), Exit> {
    let sums = |backup: &Backup| -> Vec<(String, String)> {
        backup.tenants.iter().map(|kept| (kept.stored.tenant.as_str().to_owned(), kept.checksum())).collect()
    };
    if sums(one) == sums(other) { Ok(()) } else { Err(Exit::failed(format!("{name} does not hold the same"))) }
}

fn sound(backup: &Backup, name: &str) -> Result<(), Exit> {
    match backup.tenants.iter().flat_map(Kept::faults).next() {
        Some(fault) => Err(Exit::failed(format!("{name}: {fault}; `tool-router store verify` tells all"))),
        None => Ok(()),
    }
}

fn summary(backup: &Backup) -> String {
    let vectors: usize = backup.tenants.iter().map(|kept| kept.vectors.len()).sum();
    format!("{} tools and {} vectors", output::thousands(backup.tools() as u64), output::thousands(vectors as u64))
}

fn is_dash(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn failed(error: &StoreError) -> Exit {
    Exit::failed(error.to_string())
}
