#!/usr/bin/perl
# Gearman::Client and Gearman::Worker as one end of the comparison: `perl peer.pl ROLE PORT [kind] [lanes] [bytes]`;
# the roles are those of peer.ts.
use strict;
use warnings;
use Gearman::Client;
use Gearman::Task;
use Gearman::Worker;
use Time::HiRes qw(time sleep);

my ($role, $port, @rest) = @ARGV;
$| = 1;

sub say_result {
    my ($text) = @_;
    $text =~ tr/\n/ /;
    print "RESULT $text\n";
}

sub work {
    my $worker = Gearman::Worker->new(job_servers => ["127.0.0.1:$port"]);
    $worker->register_function(echo => sub { $_[0]->arg });
    $worker->register_function(fail => sub { $worker->send_work_warning($_[0], "no luck"); return });
    $worker->work while 1;
}

# A job's result; dies with the reason why there is none.
sub submit {
    my ($client, $name, $payload, @options) = @_;
    my ($result, $failed, @words);
    my $set = $client->new_task_set;
    my $handle = $set->add_task(
        $name => $payload,
        {
            on_complete => sub { $result = ${ $_[0] } },
            on_warning  => sub { push @words, ${ $_[0] } },
            on_fail     => sub { $failed = join ": ", "the job failed", grep { defined } @_, @words },
        }
    );
    $set->wait(@options);
    die "$failed\n" if defined $failed;
    die(($handle ? "no result" : "the job was not taken") . "\n") unless defined $result;
    return $result;
}

# `$lanes` jobs at once, until all are done.
sub batch {
    my ($client, $kind, $lanes, $payload) = @_;
    if ($kind eq "background") {
        for (1 .. $lanes) { $client->dispatch_background(nobody => \$payload) or die "the job was not taken\n" }
        return;
    }
    my $good = 0;
    my $set  = $client->new_task_set;
    for (1 .. $lanes) {
        $set->add_task(echo => \$payload, { on_complete => sub { $good++ if length ${ $_[0] } == length $payload } });
    }
    $set->wait;
    die "$good of $lanes jobs gave back what they got\n" if $good != $lanes;
}

sub rate {
    my ($client, $kind, $lanes, $bytes) = @_;
    my $payload = "p" x $bytes;
    my $start   = time;
    my $jobs    = 0;
    while ($jobs < 10000 && time - $start < 1) {
        batch($client, $kind, $lanes, $payload);
        $jobs += $lanes;
    }
    return $jobs / (time - $start);
}

sub outage {
    my ($client) = @_;
    while (1) {
        say_result(eval { submit($client, "echo", "x", timeout => 2); "ok" } // "error: $@");
        sleep 0.1;
    }
}

my $all   = join "", map {chr} 0 .. 255;
my %roles = (
    rate   => sub { rate($_[0], @rest) },
    bytes  => sub { submit($_[0], echo => $all) eq $all ? "exact" : "corrupted" },
    outage => \&outage,
    echo   => sub { submit($_[0], echo => "x") },
    fail   => sub { "done: " . submit($_[0], fail => "x") },
    queue  => sub { $_[0]->dispatch_background(nobody => "x") // die "the job was not taken\n" },
);

work() if $role eq "work";
my $start = time;
my $text  = eval { $roles{$role}->(Gearman::Client->new(job_servers => ["127.0.0.1:$port"])) };
say_result(defined $text ? $text : sprintf "error: %s (after %d ms)", $@ =~ s/\s+$//r, (time - $start) * 1000);
