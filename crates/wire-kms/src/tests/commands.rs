use crate::{Command, Error, Privilege};

#[test]
fn codes_and_names_belong_to_one_command_each() {
    for command in Command::ALL {
        assert_eq!(Command::from_code(command.code()), Some(command));
        assert_eq!(command.name().parse(), Ok(command));
        assert_eq!(command.name().to_lowercase().parse(), Ok(command));
        assert_eq!(command.to_string(), command.name());
    }
    assert!(Command::ALL.is_sorted_by_key(|command| command.code()));
    for code in [0, 7, 100, 105, 200, 211, 300, 307, 400, 405, u16::MAX] {
        assert_eq!(Command::from_code(code), None);
    }
    assert_eq!("!INVALID:203".parse(), Ok(Command::ImportKey));
    for text in ["", "KEY:*", "IDENTITY:GET", "KEY:CREATE "] {
        let text = text.to_owned();
        assert_eq!(
            text.parse::<Command>(),
            Err(Error::CommandName { text: text.clone() })
        );
    }
}

#[test]
fn writes_and_scopes_are_those_of_the_protocol() {
    let codes = |is: fn(Command) -> bool| -> Vec<u16> {
        let commands = Command::ALL.into_iter().filter(|command| is(*command));
        commands.map(Command::code).collect()
    };
    assert_eq!(
        codes(Command::is_write),
        [
            1, 2, 4, 5, 6, 101, 102, 201, 202, 203, 301, 302, 303, 401, 402
        ]
    );
    assert_eq!(
        codes(Command::is_cluster_wide),
        [1, 2, 3, 4, 5, 6, 101, 102, 103, 104]
    );
}

#[test]
fn privileges_have_text_and_number() {
    for (number, text, privilege) in [
        (1, "SysAdmin", Privilege::SysAdmin),
        (2, "Admin", Privilege::Admin),
        (3, "User", Privilege::User),
    ] {
        assert_eq!(Privilege::from_number(number), Some(privilege));
        assert_eq!(privilege.number(), number);
        assert_eq!(text.parse(), Ok(privilege));
        assert_eq!(privilege.to_string(), text);
    }
    assert_eq!("".parse(), Ok(Privilege::User));
    assert_eq!(Privilege::from_number(0), None);
    assert_eq!(Privilege::from_number(4), None);
    assert!("admin".parse::<Privilege>().is_err());
}
