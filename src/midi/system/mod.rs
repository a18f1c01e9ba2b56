//! The ports of the operating system, through midir. The only files that name it.

mod input;
mod output;

pub use input::{SystemConnection, SystemPorts};
pub use output::SystemOutputs;

/// What other programs see.
const CLIENT_NAME: &str = "Music Trainer";

/// Whether a port is one of this program's own (Linux names a port after its client): what it sends is not to come back
/// as if it had been played.
fn is_own(name: &str) -> bool {
    name.strip_prefix(CLIENT_NAME).is_some_and(|rest| rest.starts_with(':'))
}

/// Asking ALSA for a sequencer that is not there makes it print to standard error each time.
fn has_sequencer() -> Result<(), String> {
    if cfg!(target_os = "linux") && !std::path::Path::new("/dev/snd/seq").exists() {
        return Err("this machine has no MIDI sequencer (/dev/snd/seq)".to_owned());
    }
    Ok(())
}

/// Who is connected to whom, as the kernel's sequencer has it; Linux only.
fn kernel_clients() -> Option<String> {
    std::fs::read_to_string("/proc/asound/seq/clients").ok()
}

/// Whether the port of this name is connected, from another or to one by the `direction` as `/proc/asound/seq/clients`
/// words it; `None` when the port is not in it.
fn is_subscribed(clients: &str, own_name: &str, direction: &str) -> Option<bool> {
    let quoted = format!(": \"{own_name}\" ");
    let mut lines = clients.lines().skip_while(|line| !(line.starts_with("  Port") && line.contains(&quoted)));
    lines.next()?;
    let mut own_lines = lines.take_while(|line| line.starts_with("    "));
    Some(own_lines.any(|line| line.contains(direction)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_own_ports_are_no_devices() {
        assert!(is_own("Music Trainer:output 16 of 4711 131:0") && is_own("Music Trainer:input 16 of 7 129:0"));
        assert!(!is_own("Music Trainer Keys:Music Trainer Keys MIDI 1 24:0") && !is_own("Piano:Music Trainer: 24:0"));
    }

    #[test]
    fn the_kernel_tells_a_connection_from_a_dead_one() {
        let clients = "Client info\n  cur  clients : 4\n\n\
            Client  24 : \"Piano\" [Kernel Legacy]\n  Port   0 : \"Piano MIDI 1\" (RWeX) [In/Out]\n    \
            Connecting To: 128:0[real:0]\n\
            Client 128 : \"Music Trainer\" [User Legacy]\n  Port   0 : \"input 16 of 7\" (-We-) [Out]\n    \
            Connected From: 24:0[real:0]\n\
            Client 129 : \"Music Trainer\" [User Legacy]\n  Port   0 : \"input 17 of 7\" (-We-) [Out]\n\
            Client 130 : \"Other\" [User Legacy]\n  Port   0 : \"x\" (-We-) [Out]\n    Connected From: 24:0\n\
            Client 131 : \"Music Trainer\" [User Legacy]\n  Port   0 : \"output 16 of 7\" (R-e-) [In]\n    \
            Connecting To: 24:0\n";
        let from = |name| is_subscribed(clients, name, "Connected From:");
        assert_eq!(from("input 16 of 7"), Some(true));
        assert_eq!(from("input 17 of 7"), Some(false));
        assert_eq!(from("input 18 of 7"), None);
        assert_eq!(is_subscribed("", "input 16 of 7", "Connected From:"), None);
        assert_eq!(is_subscribed(clients, "output 16 of 7", "Connecting To:"), Some(true));
        assert_eq!(is_subscribed(clients, "input 16 of 7", "Connecting To:"), Some(false));
    }
}
