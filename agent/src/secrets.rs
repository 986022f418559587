//! Secrets among the variables of what is launched (IS-23): given by value, or by a reference that
//! a module resolves. They go to the program's environment and nowhere else.

use std::collections::BTreeMap;

use reeve_module_host::Timely;
use reeve_module_sdk::secret_resolver::SecretResolver;
use reeve_wire::v1;
use reeve_wire::v1::environment::{Variable, variable};

/// Who knows secrets by their names, if anybody does.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    resolver: Option<Timely<dyn SecretResolver>>,
}

impl Secrets {
    /// Asks this module for what is given by reference.
    pub fn new(resolver: Option<Timely<dyn SecretResolver>>) -> Self {
        Self { resolver }
    }

    /// The variables of a command that are secrets. `container` says what it runs in.
    ///
    /// # Errors
    ///
    /// Why one cannot be had, by the names of variable and secret.
    pub async fn of(
        &self,
        command: &v1::CommandInfo,
        container: Option<&v1::ContainerInfo>,
    ) -> Result<BTreeMap<String, String>, String> {
        let all = command.environment.iter().flat_map(|all| &all.variables);
        let mut found = BTreeMap::new();
        for variable in all.filter(|one| is_secret(one)) {
            let name = &variable.name;
            let secret = variable.secret.as_ref();
            let refused = |why: &str| {
                Err(format!("environment variable '{name}' is {}: {why}", shown(secret)))
            };
            if container.is_some_and(|info| info.r#type() == v1::container_info::Type::Docker) {
                return refused("containers of type DOCKER take no secrets");
            }
            let value = match self.resolve(secret).await {
                Ok(bytes) => String::from_utf8(bytes).map_err(|_| ()),
                Err(why) => return refused(&why),
            };
            match value {
                Ok(value) if !value.contains('\0') => found.insert(name.clone(), value),
                _ => return refused("it is no text, which a variable must be"),
            };
        }
        Ok(found)
    }

    async fn resolve(&self, secret: Option<&v1::Secret>) -> Result<Vec<u8>, String> {
        let Some(secret) = secret else { return Err("it has none".to_owned()) };
        if let (v1::secret::Type::Value, Some(value)) = (secret.r#type(), &secret.value) {
            return Ok(value.data.to_vec());
        }
        let reference = secret.reference.as_ref();
        let reference = reference.ok_or("it has neither a value nor a reference")?;
        let resolver = self.resolver.as_ref();
        let resolver = resolver.ok_or(
            "this agent has no secret resolver; name a module in its setting secret_resolver",
        )?;
        let (name, key) = (reference.name.clone(), reference.key().to_owned());
        let answer = resolver.ask(move |resolver| resolver.resolve(&name, &key)).await;
        answer.map_err(|failed| failed.to_string())
    }
}

fn is_secret(variable: &Variable) -> bool {
    variable.secret.is_some() || variable.r#type() == variable::Type::Secret
}

/// A secret for a message: its name at the most.
fn shown(secret: Option<&v1::Secret>) -> String {
    match secret.and_then(|secret| secret.reference.as_ref()) {
        None => "a secret".to_owned(),
        Some(v1::secret::Reference { name, key: None }) => format!("the secret '{name}'"),
        Some(v1::secret::Reference { name, key: Some(key) }) => {
            format!("the secret '{name}' with the key '{key}'")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use reeve_module_sdk::Failed;
    use reeve_wire::v1::secret;

    use super::*;

    struct One;

    impl SecretResolver for One {
        fn resolve(&self, name: &str, key: &str) -> Result<Vec<u8>, Failed> {
            match (name, key) {
                ("db", "password") => Ok(b"hush".to_vec()),
                ("db", "binary") => Ok(vec![0xff]),
                _ => Err(Failed::new("there is no such secret")),
            }
        }
    }

    fn resolver() -> Secrets {
        Secrets::new(Some(Timely::new("one", Duration::from_secs(60), Arc::new(One))))
    }

    fn command(secret: v1::Secret) -> v1::CommandInfo {
        let variable = Variable {
            name: "V".to_owned(),
            r#type: Some(variable::Type::Secret.into()),
            secret: Some(secret),
            ..Variable::default()
        };
        let plain = Variable { name: "P".into(), value: Some("p".into()), ..Variable::default() };
        let variables = vec![plain, variable];
        v1::CommandInfo {
            environment: Some(v1::Environment { variables }),
            ..v1::CommandInfo::default()
        }
    }

    fn reference(name: &str, key: &str) -> v1::CommandInfo {
        let reference = secret::Reference { name: name.into(), key: Some(key.into()) };
        let r#type = Some(secret::Type::Reference.into());
        command(v1::Secret { r#type, reference: Some(reference), value: None })
    }

    fn value(data: &'static [u8]) -> v1::CommandInfo {
        let value = secret::Value { data: data.into() };
        let r#type = Some(secret::Type::Value.into());
        command(v1::Secret { r#type, reference: None, value: Some(value) })
    }

    #[tokio::test]
    async fn secrets_come_by_value_or_from_the_resolver() {
        let nobody = Secrets::default();
        let found = nobody.of(&value(b"v"), None).await.unwrap();
        assert_eq!(found, BTreeMap::from([("V".to_owned(), "v".to_owned())]));
        let found = resolver().of(&reference("db", "password"), None).await.unwrap();
        assert_eq!(found, BTreeMap::from([("V".to_owned(), "hush".to_owned())]));
    }

    #[tokio::test]
    async fn what_cannot_be_had_is_told_by_name() {
        let all = [
            (Secrets::default(), reference("db", "password"), "no secret resolver"),
            (resolver(), reference("db", "user"), "there is no such secret"),
            (resolver(), reference("db", "binary"), "it is no text"),
            (resolver(), value(b"hush\0"), "it is no text"),
            (resolver(), command(v1::Secret::default()), "neither a value nor a reference"),
        ];
        for (secrets, command, why) in all {
            let refused = secrets.of(&command, None).await.unwrap_err();
            assert!(refused.starts_with("environment variable 'V' is "), "{refused}");
            assert!(refused.contains(why) && !refused.contains("hush"), "{refused}");
        }
        let refused = resolver().of(&reference("db", "user"), None).await.unwrap_err();
        assert!(refused.contains("the secret 'db' with the key 'user'"), "{refused}");
    }

    #[tokio::test]
    async fn a_docker_container_takes_no_secrets() {
        let r#type = v1::container_info::Type::Docker.into();
        let docker = v1::ContainerInfo { r#type, ..v1::ContainerInfo::default() };
        let refused = resolver().of(&value(b"v"), Some(&docker)).await.unwrap_err();
        assert!(refused.contains("type DOCKER"), "{refused}");
        assert!(resolver().of(&v1::CommandInfo::default(), Some(&docker)).await.is_ok());
    }
}
