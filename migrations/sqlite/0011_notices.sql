-- What a server has noticed, for `axiam doctor` to tell; and room that is written to, to see that there is some.
create table notices (
    name        text not null primary key,
    said        text not null,
    noticed_at  text not null
) strict;
