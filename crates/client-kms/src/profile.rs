use http::Method;
use keystead_wire_kms::Error as WireError;
use keystead_wire_kms::message::ProfileStatusResponse;
use prost::Message;

use crate::answer::Download;
use crate::client::{ANY, Call, PROTOBUF};
use crate::endpoint::Endpoint;
use crate::nodes::servers;
use crate::{Client, Error, HostAnswer};

const PATH: &str = "/v1/debug/pprof";

/// What a server is to observe about itself (MinIO KMS protocol, section 8.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profiles {
    /// Where time is spent.
    pub cpu: bool,
    /// Where memory is allocated.
    pub heap: bool,
    /// Which threads there are.
    pub threads: Option<Threads>,
    /// One sample per so many nanoseconds blocked; 0 takes none.
    pub block_rate: u64,
    /// One of so many contended locks; 0 takes none.
    pub mutex_fraction: u64,
}

/// Which threads are observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// Those of the runtime.
    Runtime,
    /// Those of the operating system.
    Os,
    /// Both.
    All,
}

// === impl Profiles ===

impl Profiles {
    fn path(&self) -> String {
        let mut path = format!("{PATH}?cpu={}&heap={}", self.cpu, self.heap);
        match self.threads {
            Some(Threads::All) => path += "&thread=all",
            Some(Threads::Runtime) => path += "&thread=runtime",
            Some(Threads::Os) => path += "&thread=os",
            None => {}
        }
        if self.block_rate > 0 {
            path += &format!("&block={}", self.block_rate);
        }
        if self.mutex_fraction > 0 {
            path += &format!("&mutex={}", self.mutex_fraction);
        }
        path
    }
}

/// Profiles of single servers.
impl Client {
    /// Begins to profile each of these servers.
    ///
    /// # Errors
    ///
    /// [`Error::Endpoint`]; the others are in the answers.
    pub async fn start_profiling(
        &self,
        hosts: &[impl AsRef<str>],
        profiles: Profiles,
    ) -> Result<Vec<HostAnswer<()>>, Error> {
        let servers = servers(hosts)?;
        let path = profiles.path();
        Ok(self
            .each(servers, |client, server| {
                let path = path.clone();
                async move {
                    let call = Call::empty(Method::POST, &path, PROTOBUF);
                    client.change_at(&server, &call).await
                }
            })
            .await)
    }

    /// What is being observed on each of these servers.
    ///
    /// # Errors
    ///
    /// [`Error::Endpoint`]; the others are in the answers.
    pub async fn profiling_status(
        &self,
        hosts: &[impl AsRef<str>],
    ) -> Result<Vec<HostAnswer<ProfileStatusResponse>>, Error> {
        let servers = servers(hosts)?;
        Ok(self
            .each(servers, |client, server| async move {
                let call = Call::empty(Method::GET, PATH, PROTOBUF);
                let body = client.ask_at(&server, &call).await?.body().await?;
                let broken = |_| {
                    let reason = "not a profiling status";
                    Error::response(server.host(), WireError::Response { reason })
                };
                ProfileStatusResponse::decode(body.as_slice()).map_err(broken)
            })
            .await)
    }

    /// Ends profiling on a server: a TAR archive with a file per kind of profile.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn stop_profiling(&self, host: &str) -> Result<Download, Error> {
        let server = Endpoint::parse(host)?;
        let call = Call::empty(Method::DELETE, PATH, ANY);
        self.ask_at(&server, &call).await.map(Download::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_have_the_order_of_the_official_client() {
        let both = Profiles {
            cpu: true,
            heap: true,
            ..Profiles::default()
        };
        assert_eq!(both.path(), "/v1/debug/pprof?cpu=true&heap=true");
        let all = Profiles {
            cpu: true,
            heap: false,
            threads: Some(Threads::All),
            block_rate: 7,
            mutex_fraction: 9,
        };
        assert_eq!(
            all.path(),
            "/v1/debug/pprof?cpu=true&heap=false&thread=all&block=7&mutex=9"
        );
    }
}
