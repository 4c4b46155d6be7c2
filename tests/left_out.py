"""Tests that `make test-all` runs and the default suite does not: each takes whole runs, and what it walks through
another test of its file, or the battery of systems, walks through by default."""

LEFT_OUT = {
    "flow/test_again.py": (
        "test_a_declined_row_that_was_changed_is_not_sent_again",
        "test_a_pending_row_is_only_read_again",
        "test_another_file_with_the_same_customers_finds_them_done",
        "test_rows_that_ended_badly_are_reported_again_without_a_write",
    ),
    "flow/test_decisions.py": (
        "test_a_row_that_is_left_stays_as_it_is",
        "test_a_stranger_is_never_adopted",
        "test_personal_numbers_in_a_reason_are_masked",
    ),
    "flow/test_doubt.py": (
        "test_a_doubt_whose_reads_fail_while_others_go_well_is_left_to_the_next_run",
        "test_a_key_that_is_refused_as_taken_and_never_shown_is_in_doubt",
    ),
    "flow/test_evidence.py": ("test_a_hundred_random_edits_are_all_found_by_both_checkers",),
    "flow/test_json.py": (
        "test_a_run_that_came_to_its_end_has_no_error",
        "test_an_onboarding_that_can_not_follow_leaves_the_registration_in_the_document",
    ),
    "flow/test_kill.py": (
        "test_a_run_killed_twice_is_still_finished_once",
        "test_a_run_killed_while_it_reads_the_target_again_is_finished_without_a_write",
        "test_a_second_run_that_waits_for_the_lock_finds_the_work_done",
    ),
    "flow/test_leaks.py": (
        "test_quarantined_rows_alone_are_shown_as_they_came",
        "test_what_the_target_quotes_is_masked",
    ),
    "flow/test_limits.py": (
        "test_a_known_limit_is_kept_over_slow_and_lost_answers",
        "test_a_learned_limit_gives_way_to_a_lower_rate_and_rises_again_to_a_higher_one",
        "test_a_pause_is_said_on_the_screen_and_in_the_report",
    ),
    "flow/test_lost_ledgers.py": ("test_a_ledger_that_was_moved_away_on_purpose_with_its_key_is_begun_anew",),
    "flow/test_mend.py": (
        "test_a_row_that_says_it_is_of_an_unknown_run_is_a_row_like_any_other",
        "test_only_the_outcomes_that_were_named_come_back",
        "test_the_dialect_of_the_input_is_that_of_the_mended_file",
    ),
    "flow/test_open.py": (
        "test_a_batch_is_closed_when_nothing_of_it_is_open",
        "test_all_that_can_go_on_goes_on_though_one_file_is_gone",
    ),
    "flow/test_outage.py": ("test_a_stop_does_not_wait_for_the_target",),
    "flow/test_pending.py": (
        "test_a_customer_that_vanishes_while_we_wait_is_noticed",
        "test_no_waiting_time_means_one_look",
    ),
    "flow/test_policy.py": (
        "test_a_file_within_its_gates_is_sent_and_gone_on_with_whatever_the_next_file_has",
        "test_a_limit_that_all_rows_fit_in_stops_nothing",
        "test_rows_that_went_wrong_before_use_up_no_budget",
    ),
    "flow/test_privacy.py": ("test_a_purged_file_can_be_run_again_and_changes_nothing_at_the_target",),
    "flow/test_reconcile.py": (
        "test_all_changes_at_once_and_then_mended",
        "test_nothing_changed_is_all_matches",
    ),
    "flow/test_reconcile_changes.py": (
        "test_a_row_that_could_not_be_read_clears_nothing",
        "test_nothing_changed_is_said_and_the_list_is_empty",
    ),
    "flow/test_reconcile_extract.py": (
        "test_a_customer_with_two_wallets_on_two_lines_is_one_customer",
        "test_an_extract_and_pseudonyms_find_the_same",
        "test_spellings_are_normalised_first",
        "test_what_the_extract_has_not_is_not_compared_and_said",
    ),
    "flow/test_reconcile_listing.py": ("test_a_stranger_who_goes_away_is_a_change",),
    "flow/test_reconcile_sealed.py": (
        "test_a_row_that_only_its_values_could_find_is_unverified",
        "test_without_the_key_of_the_pseudonyms_nothing_is_claimed",
    ),
    "flow/test_report.py": (
        "test_a_report_is_made_again_whatever_its_sentences_are_called_by_then",
        "test_a_row_that_was_sent_and_would_be_refused_now_is_read_again_all_the_same",
        "test_a_run_of_when_blank_lines_were_rows_is_reported_and_compared_by_its_own_numbers",
        "test_each_run_has_a_folder_and_leaves_earlier_ones_alone",
        "test_evidence_verifies_and_one_flipped_byte_is_found",
    ),
    "flow/test_safety.py": (
        "test_a_canary_is_not_judged_by_rows_of_earlier_runs",
        "test_a_cause_that_is_less_than_half_of_all_rows_stops_nothing",
    ),
    "flow/test_signals.py": (
        "test_a_call_under_way_is_waited_for",
        "test_a_signal_ends_a_run_of_very_many_rows_without_files_and_resume_reports_all",
    ),
    "flow/test_surroundings.py": ("test_a_target_with_a_private_root_is_verified_with_it_alone",),
    "intake/test_width.py": ("test_a_parquet_file_of_too_many_columns_is_refused_with_the_bound",),
    "processes/test_containers.py": (
        "test_a_run_in_a_container_is_left_alone_by_all_that_is_done_elsewhere_under_the_same_host_name",
        "test_a_run_that_stays_to_see_whether_a_workspace_is_left_still_hears_a_signal",
    ),
    "processes/test_crash_states.py": ("test_a_ledger_that_does_not_wait_for_the_disk_loses_intents",),
    "processes/test_damage.py": ("test_a_signal_is_heard_while_another_process_holds_the_ledger",),
    "processes/test_resources.py": (
        "test_a_full_device_as_stdout_is_named",
        "test_a_ledger_whose_mode_changes_does_not_stop_the_run",
        "test_a_system_folder_for_temporary_files_is_not_needed",
        "test_standard_streams_that_are_closed_change_nothing",
    ),
    "processes/test_signals_everywhere.py": (
        "test_a_reader_that_goes_away_costs_nothing",
        "test_a_run_that_was_stopped_for_a_while_goes_on",
        "test_a_second_signal_ends_it_at_once",
    ),
    "processes/test_together.py": (
        "test_an_owner_that_is_only_stopped_is_not_replaced",
        "test_an_owner_that_lost_its_lease_leaves_the_lease_alone",
        "test_processes_that_may_wait_work_one_after_the_other",
        "test_two_tenants_work_at_the_same_time",
    ),
    "simulation/test_doubts.py": ("test_a_run_that_dies_after_taken_leaves_the_wallet_type_that_was_asked_for",),
    "simulation/test_parts.py": ("test_a_failing_history_shrinks_to_the_parts_that_matter",),
    "systems/test_azakaw.py": (
        "test_a_corrected_row_is_taken_up_again",
        "test_a_later_comparison_finds_what_was_changed_or_deleted",
        "test_a_login_at_another_address_than_before_is_refused_until_the_settings_name_it",
        "test_a_run_stopped_within_its_first_rows_gives_every_row_an_outcome",
        "test_an_awaited_decision_is_polled_and_found_later",
        "test_customers_are_found_by_email_name_and_id",
        "test_nothing_personal_is_left_anywhere",
    ),
    "systems/test_banklingo.py": (
        "test_a_create_that_is_sent_again_another_day_is_the_same_request",
        "test_a_lost_create_is_sent_again_when_a_person_says_that_it_was_not_done",
        "test_a_plan_counts_the_create_and_not_the_approval",
        "test_nothing_personal_is_left_behind",
        "test_reconciling_finds_a_client_that_was_changed_and_one_that_is_gone",
        "test_without_a_number_the_decision_can_not_be_read",
        "test_without_the_decision_a_created_client_is_complete",
    ),
    "systems/test_blink_faults.py": (
        "test_a_bank_that_throttles_is_asked_again_later",
        "test_after_a_restart_two_rows_do_not_work_on_one_customer_either",
    ),
    "systems/test_blink_runs.py": ("test_the_sample_file_is_valid_and_ends_well",),
    "systems/test_blink_use.py": ("test_nothing_personal_is_left_but_in_the_quarantine",),
    "systems/test_decide.py": (
        "test_another_decision_about_the_same_client_is_another_intention",
        "test_the_first_decision_is_told_who_holds_a_ledger_that_can_not_be_written",
        "test_while_a_command_is_unanswered_another_one_of_the_same_key_is_not_sent",
        "test_who_created_some_of_them_is_refused_those",
    ),
    "systems/test_download_profiles.py": (
        "test_a_complete_download_is_followed_by_a_new_one",
        "test_profiles_in_a_folder_of_ones_own_are_known_to_the_ledger_and_go_with_the_run",
        "test_purging_a_run_removes_its_profiles",
        "test_the_limit_of_downloads_holds_over_processes",
    ),
    "systems/test_eclipse_documents.py": (
        "test_documents_may_go_away_once_they_were_sent",
        "test_documents_may_lie_in_a_folder_of_their_own",
        "test_with_the_ledger_lost_nothing_is_sent_twice",
    ),
    "systems/test_eclipse_kyc.py": (
        "test_a_result_that_passed_meanwhile_is_taken_without_asking",
        "test_what_passed_is_asked_again_only_when_its_number_is_named",
        "test_who_asked_again_stands_in_the_history",
    ),
    "systems/test_eclipse_wallets.py": (
        "test_a_wallet_that_went_away_is_a_difference",
        "test_an_answer_about_types_that_can_not_be_read_is_no_refusal_for_ever",
        "test_with_the_ledger_lost_both_wallets_are_found",
    ),
    "systems/test_omnumi_runs.py": (
        "test_a_killed_run_is_finished_without_a_double",
        "test_a_nightly_run_says_how_it_ends_with_0_and_then_does",
        "test_a_row_in_doubt_does_not_block_the_next_night",
        "test_a_throttled_target_is_waited_for",
        "test_no_token_is_needed_where_none_is_taken",
        "test_reading_commands_say_why_they_can_not",
        "test_the_first_row_goes_alone_and_stops_the_rest",
        "test_the_namespace_of_the_wallet_is_in_the_reports",
    ),
    "systems/test_portal_users.py": (
        "test_a_customer_with_the_key_of_a_user_is_another_matter",
        "test_a_resumed_run_keeps_the_word_for_privileged_positions",
        "test_reconciling_finds_users_that_were_changed_or_removed",
    ),
    "systems/test_registration.py": (
        "test_a_file_whose_rows_all_have_their_end_needs_no_place_for_passwords",
        "test_a_phone_that_the_target_takes_only_once_stays_a_conflict",
        "test_papers_are_the_customers_own_too",
        "test_registering_again_changes_nothing",
        "test_the_limit_of_the_credential_is_never_exceeded",
        "test_the_operator_goes_on_with_kyc_and_wallet",
        "test_what_the_operator_left_open_is_resumed_as_the_operator",
        "test_what_was_decided_of_one_address_says_nothing_of_the_next",
    ),
    "transport/test_quota.py": (
        "test_a_limit_that_was_raised_at_the_target_is_found_in_steps",
        "test_a_real_limit_is_tried_again_and_again_and_refuses_few",
        "test_a_share_is_as_large_as_what_is_used_and_not_as_what_is_permitted",
    ),
}
"""By file: names of tests."""
